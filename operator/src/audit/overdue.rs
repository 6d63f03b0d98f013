//! What has waited for too long: messages in an outbox, records before a consumer. While they wait they explain why an order
//! is not as it should be; a relay or a consumer that is dead would explain everything for ever. So what waits has a bound
//! of age, and past it is a violation of its own.

use std::{collections::BTreeMap, time::Duration};

use ambient::now;
use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use contracts::OrderId;
use messaging::Raw;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

use super::{
    finding::{Finding, Holds, Rule, Subject},
    kafka::Kafka,
    read::{Service, Sources},
    suspects::caught_up,
};
use crate::output::time;

const PACE: Duration = Duration::from_millis(250);

/// No more of them are counted: one is too many.
const MANY: usize = 1_000;

const OUTBOX_BEHIND: Rule = Rule {
    name: "outbox-behind",
    about: Subject::Message,
    holds: Holds::Always,
    next: "message-relay does not publish it: does one run, with this database among its sources, and what does its log say?",
};

const CONSUMER_BEHIND: Rule = Rule {
    name: "consumer-behind",
    about: Subject::Message,
    holds: Holds::Always,
    next: "the service does not read: does it run, and what does its log say? If it does, it has more to read than it can",
};

pub(crate) const RULES: &[&Rule] = &[&OUTBOX_BEHIND, &CONSUMER_BEHIND];

/// Within a shard the ids are in the order in which the rows were written.
const WAITING: &str = "SELECT shard, id, key, kind, occurred_at FROM outbox_pending WHERE occurred_at < $1 \
                       ORDER BY id LIMIT $2";

/// How long is too long, and how long to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// What has waited for longer is a violation.
    pub(crate) overdue: Duration,
    /// What is gone after so long was on its way: an old message may have been sent again just now.
    pub(crate) patience: Duration,
}

/// Messages of one outbox that wait, by shard and id: whom they are about, what they are, and when they were said.
type Waiting = BTreeMap<(i16, i64), (Uuid, String, DateTime<Utc>)>;

impl Bounds {
    /// What is older than this has waited for too long.
    fn before(self) -> anyhow::Result<DateTime<Utc>> {
        let overdue = TimeDelta::from_std(self.overdue).ok();
        let before = overdue.and_then(|overdue| now().checked_sub_signed(overdue));
        before.context("longer ago than can be counted")
    }

    fn within(self) -> humantime::FormattedDuration {
        humantime::format_duration(self.overdue)
    }
}

/// Looks into every outbox.
///
/// # Errors
/// A database does not answer, or not in time.
pub(crate) async fn outboxes(sources: &Sources, bounds: Bounds) -> anyhow::Result<Vec<Finding>> {
    let (deadline, before) = (now() + bounds.patience, bounds.before()?);
    let mut outboxes = BTreeMap::new();
    for &service in sources.services.keys() {
        outboxes.insert(service, waiting(sources, service, before).await?);
    }
    loop {
        outboxes.retain(|_, rows| !rows.is_empty());
        if outboxes.is_empty() || now() >= deadline {
            break;
        }
        tokio::time::sleep(PACE).await;
        for (service, rows) in &mut outboxes {
            let still = waiting(sources, *service, before).await?;
            rows.retain(|row, _| still.contains_key(row));
        }
    }
    let findings = outboxes.iter();
    let findings = findings.filter_map(|(service, rows)| unpublished(service.name(), rows, bounds));
    Ok(findings.collect())
}

/// Looks before every consumer.
///
/// # Errors
/// Kafka does not answer, or not in time.
pub(crate) async fn consumers(kafka: &Kafka, bounds: Bounds) -> anyhow::Result<Vec<Finding>> {
    let before = bounds.before()?;
    let behind = caught_up(kafka, &kafka.ends().await?, bounds.patience).await?;
    let mut findings = Vec::new();
    for (consumer, backlog) in behind {
        let Some(oldest) = kafka.oldest(&backlog.from).await? else {
            continue;
        };
        if let Some(since) = oldest.at.filter(|at| *at < before) {
            findings.push(unread(consumer, backlog.records, since, &oldest, bounds));
        }
    }
    Ok(findings)
}

async fn waiting(
    sources: &Sources,
    service: Service,
    before: DateTime<Utc>,
) -> anyhow::Result<Waiting> {
    let tx = sources.begin(service).await?;
    let most = i64::try_from(MANY).unwrap_or(i64::MAX);
    let values = [before.into(), most.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, WAITING, values);
    let rows = tx.query_all_raw(statement).await;
    let rows = rows.with_context(|| format!("the outbox of {}", service.name()))?;
    tx.commit().await?;
    let read = rows.iter().map(|row| {
        let place = (row.try_get("", "shard")?, row.try_get("", "id")?);
        let (key, kind) = (row.try_get("", "key")?, row.try_get("", "kind")?);
        Ok((place, (key, kind, row.try_get("", "occurred_at")?)))
    });
    read.collect()
}

fn unpublished(service: &str, rows: &Waiting, bounds: Bounds) -> Option<Finding> {
    let (order, kind, since) = rows.values().min_by_key(|(.., since)| *since)?;
    let count = match rows.len() {
        MANY.. => format!("{MANY} or more"),
        few => few.to_string(),
    };
    let (within, since) = (bounds.within(), time(*since));
    Some(Finding {
        order: OrderId::new(*order),
        rule: &OUTBOX_BEHIND,
        expected: format!("what {service} says is published within {within}"),
        found: format!(
            "{count} messages in the outbox of {service}, the oldest ({kind}) since {since}"
        ),
    })
}

fn unread(
    consumer: &str,
    records: i64,
    since: DateTime<Utc>,
    oldest: &Raw,
    bounds: Bounds,
) -> Finding {
    let Raw {
        topic,
        partition,
        offset,
        key,
        ..
    } = oldest;
    let order = key.as_deref().and_then(|key| Uuid::try_parse(key).ok());
    let (within, since) = (bounds.within(), time(since));
    Finding {
        order: OrderId::new(order.unwrap_or_default()),
        rule: &CONSUMER_BEHIND,
        expected: format!("{consumer} reads what is published within {within}"),
        found: format!(
            "{records} records that {consumer} has not read, the oldest ({topic}, partition {partition}, offset {offset}) since {since}"
        ),
    }
}
