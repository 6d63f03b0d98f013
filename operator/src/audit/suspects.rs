//! From suspicions to violations: looked at again, a moment later, with all that may explain them.
//!
//! 1. A first look, with what is unpublished or parked. What that explains is under way.
//! 2. Everything that has been published by now is given time to be read by everybody who reads it.
//! 3. A second look. Where nothing at all has changed, nothing moves, and what is still found is a violation. Where
//!    something has, the order moves: it is looked at anew, some times.

use std::{collections::BTreeMap, time::Duration};

use ambient::now;
use anyhow::Context;
use messaging::history::Offsets;
use serde::Serialize;
use uuid::Uuid;

use super::{
    facts::Facts,
    finding::{Finding, Holds, Subject},
    kafka::{Backlog, Kafka, unread},
    read::{Evidence, Sources},
    rules,
};

const PACE: Duration = Duration::from_millis(250);

/// How often an order that moves is looked at anew. Its steps take some milliseconds each, unless a person takes them.
const ROUNDS: usize = 10;

/// What was decided about suspicions.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) violations: Vec<Finding>,
    pub(crate) explained: Vec<Explained>,
    /// How long consumers were waited for.
    pub(crate) waited: Duration,
}

/// A finding that is no violation, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Explained {
    #[serde(flatten)]
    pub(crate) finding: Finding,
    pub(crate) because: String,
}

/// How long to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Between two looks.
    pub(crate) settle: Duration,
    /// For consumers to read what is published.
    pub(crate) readers: Duration,
}

/// Decides about these orders.
///
/// # Errors
/// A database, the gateway or Kafka does not answer.
pub(crate) async fn decide(
    sources: &Sources,
    kafka: Option<&Kafka>,
    ids: Vec<Uuid>,
    patience: Patience,
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut left = ids;
    for round in 1..=ROUNDS {
        if left.is_empty() {
            break;
        }
        let first = look(sources, &left, kafka.is_some()).await?;
        let suspected: Vec<Uuid> = first
            .iter()
            .filter(|(_, look)| !look.open().is_empty())
            .map(|(id, _)| *id)
            .collect();
        if suspected.is_empty() {
            take_explained(&mut verdict, first.values());
            break;
        }
        tokio::time::sleep(patience.settle).await;
        let behind = match kafka {
            Some(kafka) => {
                let began = now();
                let readers = patience.readers.saturating_sub(verdict.waited);
                let behind = caught_up(kafka, &kafka.ends().await?, readers).await?;
                verdict.waited += (now() - began).to_std().unwrap_or_default();
                behind
            }
            None => BTreeMap::new(),
        };
        let mut second = look(sources, &suspected, kafka.is_some()).await?;
        for look in second.values_mut() {
            for (consumer, backlog) in &behind {
                let unread = (consumer.to_string(), unread(consumer, backlog));
                look.evidence.unhandled.push(unread);
            }
        }
        left.clear();
        for (id, look) in second {
            let still = first
                .get(&id)
                .is_some_and(|before| before.facts.is_same(&look.facts));
            let open = look.open();
            take_explained(&mut verdict, [&look]);
            match (open.is_empty(), still) {
                (true, _) => {}
                (false, true) => verdict.violations.extend(open),
                (false, false) if round == ROUNDS => {
                    let moving = |finding| Explained {
                        finding,
                        because: "the order did not stand still".to_owned(),
                    };
                    verdict.explained.extend(open.into_iter().map(moving));
                }
                (false, false) => left.push(id),
            }
        }
        take_explained(
            &mut verdict,
            first
                .iter()
                .filter(|(id, _)| !suspected.contains(id))
                .map(|(_, look)| look),
        );
    }
    Ok(verdict)
}

/// An order at a moment.
struct Look {
    facts: Facts,
    evidence: Evidence,
    has_kafka: bool,
}

impl Look {
    /// Every finding, with what explains it.
    fn judge(&self) -> impl Iterator<Item = (Finding, Option<String>)> {
        rules::judge(&self.facts).into_iter().map(|finding| {
            let because = explains(&finding, &self.facts, &self.evidence)
                .or_else(|| doubts(&finding, &self.facts, self.has_kafka));
            (finding, because)
        })
    }

    /// What nothing explains.
    fn open(&self) -> Vec<Finding> {
        let findings = self.judge().filter(|(_, because)| because.is_none());
        findings.map(|(finding, _)| finding).collect()
    }

    fn explained(&self) -> impl Iterator<Item = Explained> {
        self.judge().filter_map(|(finding, because)| {
            let because = because?;
            Some(Explained { finding, because })
        })
    }
}

async fn look(
    sources: &Sources,
    ids: &[Uuid],
    has_kafka: bool,
) -> anyhow::Result<BTreeMap<Uuid, Look>> {
    let facts = sources.these(ids, now()).await?;
    // After the facts: what they came to by then is published, or waits to be.
    let mut evidence = sources.evidence(ids).await?;
    let look = |(id, facts)| {
        let evidence = evidence.remove(&id).unwrap_or_default();
        (
            id,
            Look {
                facts,
                evidence,
                has_kafka,
            },
        )
    };
    Ok(facts.into_iter().map(look).collect())
}

fn take_explained<'l>(verdict: &mut Verdict, looks: impl IntoIterator<Item = &'l Look>) {
    for look in looks {
        for explained in look.explained() {
            let known = verdict
                .explained
                .iter()
                .any(|it| it.finding == explained.finding);
            if !known {
                verdict.explained.push(explained);
            }
        }
    }
}

/// Why a finding is no violation, if it is none: something is under way, or an operator wanted it so.
pub(crate) fn explains(finding: &Finding, facts: &Facts, evidence: &Evidence) -> Option<String> {
    let rule = finding.rule;
    let operator = || {
        let skipped = facts.history.as_ref()?.skipped.as_ref()?;
        let step = skipped.iter().find(|step| rule.about.is_asked_in(step))?;
        Some(format!("an operator had the saga go on without `{step}`"))
    };
    let answered_for_kitchen = || {
        let concerned = matches!(rule.about, Subject::Kitchen | Subject::Delivery);
        let done = concerned && facts.history.as_ref()?.is_kitchen_answered_for();
        done.then(|| "an operator answered for the kitchen that it is not cooked".to_owned())
    };
    let operator = || operator().or_else(answered_for_kitchen);
    let discarded = || {
        let consumer = rule.about.consumer()?;
        let done = evidence.discarded.iter().any(|it| it == consumer);
        done.then(|| format!("an operator has discarded a message of it in {consumer}"))
    };
    let unpublished = || evidence.unpublished.first().cloned();
    let unhandled = |anybody: bool| {
        let mine =
            |(consumer, _): &&(String, String)| anybody || rule.about.consumer() == Some(consumer);
        let found = evidence.unhandled.iter().find(mine);
        found.map(|(_, why)| why.clone())
    };
    match rule.holds {
        Holds::Always => operator().or_else(discarded),
        Holds::AtRest => unpublished()
            .or_else(|| unhandled(false))
            .or_else(operator)
            .or_else(discarded),
        Holds::Unattended => unpublished().or_else(|| unhandled(true)),
    }
}

/// What is on its way in a Kafka that nobody told us of cannot be seen: an order that is under way by its owners' own words
/// gets the benefit of the doubt.
fn doubts(finding: &Finding, facts: &Facts, has_kafka: bool) -> Option<String> {
    let doubtful = finding.rule.holds == Holds::AtRest && !has_kafka;
    facts.under_way().filter(|_| doubtful)
}

/// Waits until everybody has read up to these ends, so long at most. Gives who has not, and what is ahead of them.
///
/// # Errors
/// Kafka does not answer.
pub(crate) async fn caught_up(
    kafka: &Kafka,
    ends: &Offsets,
    patience: Duration,
) -> anyhow::Result<BTreeMap<&'static str, Backlog>> {
    let deadline = now() + patience;
    loop {
        let behind = kafka
            .behind(ends)
            .await
            .context("how far the consumers are")?;
        if behind.is_empty() || now() >= deadline {
            return Ok(behind);
        }
        tokio::time::sleep(PACE).await;
    }
}

#[cfg(test)]
mod tests {
    use contracts::OrderState;
    use saga::State;

    use super::*;
    use crate::audit::rules::{Example, complete};

    fn because(example: &Example, evidence: &Evidence) -> Vec<Option<String>> {
        let facts = example.facts();
        let findings = rules::judge(facts);
        assert!(!findings.is_empty());
        findings
            .iter()
            .map(|finding| explains(finding, facts, evidence))
            .collect()
    }

    fn parked(consumer: &str) -> Evidence {
        Evidence {
            unhandled: vec![(consumer.to_owned(), "parked".to_owned())],
            ..Evidence::default()
        }
    }

    #[test]
    fn what_waits_is_explained_by_what_is_parked_and_a_double_charge_by_nothing() {
        let undelivered = complete().and(|facts| {
            facts.delivery = None;
            facts.asked.views = false;
        });
        let explained = because(&undelivered, &parked("delivery-service"));
        assert!(explained.iter().any(Option::is_some), "delivery-made");
        assert!(
            explained.iter().any(Option::is_none),
            "COMPLETE without a delivery never is"
        );
        let charged = complete().and(|facts| {
            let charge = facts.ledger[1].clone();
            facts.ledger.push(charge);
        });
        assert_eq!(because(&charged, &parked("payment-service")), [None]);
    }

    #[test]
    fn only_what_its_own_consumer_has_left_explains_what_is_missing() {
        let unheard = Example::at("cooked", State::Waiting, OrderState::Preparing).and(|facts| {
            facts.cook.as_mut().unwrap().state = contracts::CookState::Ready;
            (facts.asked.deliveries, facts.asked.views) = (false, false);
        });
        assert_eq!(because(&unheard, &parked("order-view")), [None]);
        assert_eq!(
            because(&unheard, &parked("order-service")),
            [Some("parked".to_owned())]
        );
        let unpublished = Evidence {
            unpublished: vec!["1 message".to_owned()],
            ..Evidence::default()
        };
        assert_eq!(
            because(&unheard, &unpublished),
            [Some("1 message".to_owned())]
        );
    }

    #[test]
    fn without_kafka_an_order_that_is_under_way_is_not_suspected_of_losing_messages() {
        let look = |has_kafka| Look {
            facts: Example::at("capture payment", State::Forward, OrderState::Preparing)
                .and(|facts| {
                    facts.cook.as_mut().unwrap().state = contracts::CookState::Ready;
                    facts.asked.views = false;
                })
                .facts()
                .clone(),
            evidence: Evidence::default(),
            has_kafka,
        };
        assert_eq!(look(false).open(), []);
        assert_eq!(look(true).open()[0].rule.name, "delivery-made");
    }

    #[test]
    fn a_kitchen_that_an_operator_answered_for_may_not_have_heard_of_it_yet() {
        let gone = Example::cancelled().and(|facts| {
            facts.cook.as_mut().unwrap().state = contracts::CookState::Preparing;
            facts.asked.views = false;
        });
        assert_eq!(because(&gone, &Evidence::default()), [None]);
        let answered = gone.and(|facts| {
            let what = &mut facts.history.as_mut().unwrap().what;
            what.extend(["ARBITER_ASKED".to_owned(), "SENT_BACK".to_owned()]);
        });
        assert!(
            because(&answered, &Evidence::default())
                .iter()
                .all(Option::is_some)
        );
    }

    #[test]
    fn what_an_operator_wanted_is_explained() {
        let skipped = complete().and(|facts| {
            facts.ticket.as_mut().unwrap().state = contracts::TicketState::Pickedup;
            facts.history.as_mut().unwrap().skipped = Some(vec!["complete ticket".to_owned()]);
            facts.asked.views = false;
        });
        assert!(
            because(&skipped, &Evidence::default())
                .iter()
                .all(Option::is_some)
        );
        let discarded = Evidence {
            discarded: vec!["order-view".to_owned()],
            ..Evidence::default()
        };
        let behind = complete().and(|facts| facts.view = None);
        assert!(because(&behind, &discarded).iter().all(Option::is_some));
        assert!(
            because(&behind, &Evidence::default())
                .iter()
                .all(Option::is_none)
        );
    }
}
