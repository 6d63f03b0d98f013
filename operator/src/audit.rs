//! `operator audit`: do all databases agree? Every order has an end that is legal and explained; authorised = captured +
//! voided + still held; tickets, kitchens and deliveries match; the view is what was told.
//!
//! - [`facts`]: what all services say about one order.
//! - [`rules`]: what must be true of it; pure.
//! - [`read`], [`gateway`]: where facts come from, page by page.
//! - [`suspects`]: whether what a rule finds is a violation, or under way.
//! - [`kafka`], [`fold`]: the topics, and view = fold.
//! - [`quiet`]: waiting until nothing is under way.
//! - [`overdue`]: what has waited for too long to be an explanation.
//! - [`report`]: what is told in the end.

mod facts;
mod finding;
mod fold;
mod gateway;
mod kafka;
mod overdue;
mod quiet;
mod read;
mod report;
mod rules;
mod suspects;

use std::{collections::BTreeMap, time::Duration};

use ambient::now;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use url::Url;
use uuid::Uuid;

use crate::{
    databases::{Reach, Surroundings},
    output,
};
use gateway::Gateway;
use kafka::Kafka;
use overdue::Bounds;
use read::{Service, Sources};
use report::{NotChecked, Orders, Report};
use suspects::{Explained, Patience, Verdict};

/// So many suspects are looked at again at once.
const SUSPECTS: usize = 500;

const CONSUMERS: &str = "how far the consumers are";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Only orders that were taken since: a moment (2026-03-01T12:00:00Z) or a span of time (90m, 2h, 3days)
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<DateTime<Utc>>,
    /// Wait first until nothing is under way, so many seconds at most; not to get there counts as a failure
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// Do not read the topics: view = fold is not checked then
    #[arg(long)]
    no_topics: bool,
    /// Kafka's addresses; without any, those of the platform
    #[arg(long, env = "KAFKA_BROKERS", value_name = "HOST:PORT,…")]
    kafka_brokers: Option<String>,
    /// What stands before the names of topics and consumer groups
    #[arg(long, env = "TOPIC_PREFIX", value_name = "PREFIX")]
    topic_prefix: Option<String>,
    /// The payment gateway; without one, that of the platform
    #[arg(long, env = "GATEWAY_URL", value_name = "URL")]
    gateway_url: Option<Url>,
    /// How many orders are read at once
    #[arg(long, value_name = "ORDERS", default_value_t = 500,
          value_parser = clap::value_parser!(u64).range(1..=900))]
    page: u64,
    /// How long to rest between two pages, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    pause: u64,
    /// How long to wait before a suspicion is looked at again, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2_000)]
    settle: u64,
    /// What has waited for longer than this (90s, 10m, 1h) to be published, or to be read by a consumer, is a violation:
    /// a relay or a consumer that does not come back explains nothing
    #[arg(long, value_name = "SPAN", default_value = "5m", value_parser = humantime::parse_duration)]
    overdue: Duration,
    /// How long consumers and relays may take in all to deal with what is there, before they count as behind, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    patience: u64,
    /// Stop when so many violations have been found
    #[arg(long, value_name = "VIOLATIONS", default_value_t = 1_000)]
    most: usize,
}

fn since(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc());
    }
    let span = humantime::parse_duration(text).map_err(|error| {
        format!("neither a moment like 2026-03-01T12:00:00Z nor a span of time like 2h: {error}")
    })?;
    let moment = TimeDelta::from_std(span)
        .ok()
        .and_then(|span| now().checked_sub_signed(span));
    moment.ok_or_else(|| "longer ago than can be counted".to_owned())
}

/// An audit, as it goes.
struct Audit<'a> {
    arguments: &'a Arguments,
    sources: Sources,
    kafka: Option<Kafka>,
    report: Report,
    /// Everything that was to be read has been.
    complete: bool,
    /// What is left of the time that consumers are waited for.
    patience: Duration,
}

/// Audits, and tells. Says whether nothing is wrong, and everything was read.
///
/// # Errors
/// Something did not answer, so that nothing can be said.
pub(crate) async fn run(
    arguments: &Arguments,
    reach: Reach,
    surroundings: Surroundings,
    json: bool,
) -> anyhow::Result<bool> {
    let mut report = Report {
        at: now(),
        since: arguments.since,
        clean: false,
        rules: rules::ALL
            .iter()
            .copied()
            .flatten()
            .map(|rule| rule.name)
            .collect(),
        orders: Orders::default(),
        money: BTreeMap::new(),
        ledger: None,
        parked: BTreeMap::new(),
        folded: None,
        not_checked: Vec::new(),
        not_quiet: Vec::new(),
        explained: Vec::new(),
        explained_in_all: 0,
        violations: Vec::new(),
        stopped_early: false,
    };
    let mut skip = |what: &str, why: String| {
        let what = what.to_owned();
        report.not_checked.push(NotChecked { what, why });
    };
    let mut complete = reach.complete;
    let url = arguments.gateway_url.clone().or(surroundings.gateway);
    let gateway = match url {
        None => {
            skip(
                "the gateway's ledger",
                "no gateway is known (--gateway-url)".to_owned(),
            );
            None
        }
        Some(url) => match Gateway::meet(url.clone()).await {
            Ok(Some(gateway)) => Some(gateway),
            Ok(None) => {
                skip("the gateway's ledger", format!("{url} does not list it"));
                None
            }
            Err(error) => {
                complete = false;
                skip("the gateway's ledger", format!("{error:#}"));
                None
            }
        },
    };
    let sources = Sources::recognise(reach.databases, gateway).await?;
    for service in sources.missing() {
        complete = false;
        skip(
            service.name(),
            "its database was not given, or not reached".to_owned(),
        );
    }
    let brokers = arguments.kafka_brokers.clone().or(surroundings.brokers);
    let prefix = arguments.topic_prefix.clone().or(surroundings.prefix);
    let kafka = brokers.map(|brokers| Kafka::new(&brokers, &prefix.unwrap_or_default()));
    if kafka.is_none() {
        skip(
            CONSUMERS,
            "no Kafka is known (--kafka-brokers): what is on its way there cannot be told from what is lost".to_owned(),
        );
    }
    report.ledger = sources.gateway.is_some().then(BTreeMap::new);
    let mut audit = Audit {
        arguments,
        sources,
        kafka,
        report,
        complete,
        patience: Duration::from_secs(arguments.patience),
    };
    audit.perform().await?;
    let Audit {
        mut report,
        complete,
        ..
    } = audit;
    report.clean = complete && report.violations.is_empty() && report.not_quiet.is_empty();
    match json {
        true => output::json(&report)?,
        false => output::say(report.text()),
    }
    Ok(report.clean)
}

impl Audit<'_> {
    async fn perform(&mut self) -> anyhow::Result<()> {
        if let Some(seconds) = self.arguments.wait {
            let patience = Duration::from_secs(seconds);
            self.report.not_quiet =
                quiet::wait(&self.sources, self.kafka.as_ref(), patience).await?;
        }
        self.leave_out_forgotten().await?;
        self.read_parked().await?;
        self.judge().await?;
        self.fold().await?;
        self.find_overdue().await
    }

    /// What was removed by age in one database is still told of by others, so nobody can compare them.
    async fn leave_out_forgotten(&mut self) -> anyhow::Result<()> {
        let Some((before, table)) = self.sources.forgotten().await? else {
            return Ok(());
        };
        if self.report.since.is_none_or(|since| since < before) {
            self.report.since = Some(before);
            self.report.not_checked.push(NotChecked {
                what: format!("orders from before {}", output::time(before)),
                why: format!("{table} is not kept for longer (docs/retention.md)"),
            });
        }
        Ok(())
    }

    async fn read_parked(&mut self) -> anyhow::Result<()> {
        for &service in self.sources.services.keys() {
            let tx = self.sources.begin(service).await?;
            let sql = "SELECT consumer, count(*) AS count FROM parked_line GROUP BY consumer";
            for row in tx
                .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
                .await?
            {
                let (consumer, count) = (row.try_get("", "consumer")?, row.try_get("", "count")?);
                self.report.parked.insert(consumer, count);
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// All orders, by the rules.
    async fn judge(&mut self) -> anyhow::Result<()> {
        let mut after = Some(self.beginning());
        let mut suspects = Vec::new();
        while let Some(from) = after {
            let page = self.sources.page(from, self.arguments.page, now()).await?;
            for facts in &page.facts {
                self.report.orders.add(facts);
                report::add_payment(&mut self.report.money, facts);
                if let Some(ledger) = &mut self.report.ledger {
                    report::add_ledger(ledger, facts);
                }
                if !rules::judge(facts).is_empty() {
                    suspects.push(facts.id.uuid());
                }
            }
            self.report.violations.extend(page.strangers);
            after = page.upto;
            while suspects.len() >= SUSPECTS || (after.is_none() && !suspects.is_empty()) {
                let rest = suspects.split_off(suspects.len().min(SUSPECTS));
                let these = std::mem::replace(&mut suspects, rest);
                self.decide(these).await?;
            }
            if self.has_enough() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(self.arguments.pause)).await;
        }
        Ok(())
    }

    async fn decide(&mut self, suspects: Vec<Uuid>) -> anyhow::Result<()> {
        let patience = Patience {
            settle: Duration::from_millis(self.arguments.settle),
            readers: self.patience,
        };
        let decided = suspects::decide(&self.sources, self.kafka.as_ref(), suspects, patience);
        let Verdict {
            violations,
            explained,
            waited,
        } = decided.await?;
        // Who does not read at all is not waited for again and again.
        self.patience = self.patience.saturating_sub(waited);
        self.report.violations.extend(violations);
        explained.into_iter().for_each(|it| self.report.explain(it));
        Ok(())
    }

    fn has_enough(&mut self) -> bool {
        self.report.stopped_early = self.report.violations.len() >= self.arguments.most;
        self.report.stopped_early
    }

    /// view = fold.
    async fn fold(&mut self) -> anyhow::Result<()> {
        let views = self.sources.services.contains_key(&Service::Views);
        let why = match (&self.kafka, views) {
            (_, _) if self.arguments.no_topics => "--no-topics",
            (None, _) => "no Kafka is known (--kafka-brokers)",
            (_, false) => "the database of order-view was not given, or not reached",
            _ if self.report.stopped_early => "there is enough to look at before",
            (Some(kafka), true) => {
                let kafka = kafka.clone();
                // What the databases have told by now is worth telling in any case.
                if let Err(error) = self.fold_topics(&kafka).await {
                    self.complete = false;
                    self.skip_fold(format!("{error:#}"));
                }
                return Ok(());
            }
        };
        self.skip_fold(why.to_owned());
        Ok(())
    }

    async fn fold_topics(&mut self, kafka: &Kafka) -> anyhow::Result<()> {
        let mut history = kafka.history().await?;
        if let Some((topic, partition)) = history.beheaded().await? {
            self.skip_fold(format!(
                "the first records of {topic} (partition {partition}) have been deleted"
            ));
            return Ok(());
        }
        let ends = history.ends().await?;
        let page = usize::try_from(self.arguments.page).unwrap_or(usize::MAX);
        let behind = (self.beginning(), self.report.since);
        let folded = fold::compare(&mut history, &self.sources, &ends, behind, page).await?;
        self.report.folded = Some((folded.orders, folded.records));
        if folded.suspects.is_empty() {
            return Ok(());
        }
        let behind = suspects::caught_up(kafka, &ends, self.patience).await?;
        let ids: Vec<Uuid> = folded.suspects.keys().copied().collect();
        let findings =
            fold::again(&mut history, &self.sources, &ends, folded.suspects, page).await?;
        let mut evidence = BTreeMap::new();
        for ids in ids.chunks(page) {
            evidence.extend(self.sources.evidence(ids).await?);
        }
        for finding in findings {
            let found = evidence
                .get(&finding.order.uuid())
                .cloned()
                .unwrap_or_default();
            let consumer = finding.rule.about.consumer().unwrap_or_default();
            let because = if let Some(backlog) = behind.get(consumer) {
                Some(kafka::unread(consumer, backlog))
            } else if found.discarded.iter().any(|it| it == consumer) {
                Some(format!(
                    "an operator has discarded a message of it in {consumer}"
                ))
            } else {
                let parked = found.unhandled.into_iter().find(|(it, _)| it == consumer);
                parked.map(|(_, why)| why)
            };
            match because {
                Some(because) => self.report.explain(Explained { finding, because }),
                None => self.report.violations.push(finding),
            }
        }
        self.has_enough();
        Ok(())
    }

    /// Whether what explains so much has waited for too long itself.
    async fn find_overdue(&mut self) -> anyhow::Result<()> {
        let bounds = Bounds {
            overdue: self.arguments.overdue,
            patience: self
                .patience
                .max(Duration::from_millis(self.arguments.settle)),
        };
        let consumers = async {
            match &self.kafka {
                Some(kafka) => overdue::consumers(kafka, bounds).await,
                None => Ok(Vec::new()),
            }
        };
        let (outboxes, consumers) =
            tokio::join!(overdue::outboxes(&self.sources, bounds), consumers);
        self.report.violations.extend(outboxes?);
        match consumers {
            Ok(found) => self.report.violations.extend(found),
            // What has been told by now is worth telling in any case.
            Err(error) => {
                self.complete = false;
                self.report.not_checked.push(NotChecked {
                    what: CONSUMERS.to_owned(),
                    why: format!("{error:#}"),
                });
            }
        }
        Ok(())
    }

    fn skip_fold(&mut self, why: String) {
        let what = "view = fold".to_owned();
        self.report.not_checked.push(NotChecked { what, why });
    }

    /// All orders behind this id. The ids of orders hold the time at which these were taken.
    fn beginning(&self) -> Uuid {
        let Some(since) = self.report.since else {
            return Uuid::nil();
        };
        let milliseconds = u128::try_from(since.timestamp_millis()).unwrap_or(0);
        Uuid::from_u128((milliseconds << 80).saturating_sub(1))
    }
}
