//! From suspicions to violations: looked at again, a moment later, with all that may explain them.
//!
//! 1. A first look, with what is unpublished or parked. What that explains is under way.
//! 2. Everything that has been published by now is given time to be read by everybody who reads it.
//! 3. A second look. Where nothing at all has changed, nothing moves, and what is still found is a violation. Where
//!    something has, the order moves: it is looked at anew, some times.

use std::{collections::BTreeMap, time::Duration};

use ambient::now;
use anyhow::Context;
use serde::Serialize;
use uuid::Uuid;

use super::{
    facts::Facts,
    finding::{Finding, Holds},
    kafka::{Ends, Kafka},
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
        let first = look(sources, &left).await?;
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
            Some(kafka) => caught_up(kafka, &kafka.ends().await?, patience.readers).await?,
            None => BTreeMap::new(),
        };
        let mut second = look(sources, &suspected).await?;
        for look in second.values_mut() {
            for (consumer, records) in &behind {
                let unread = format!("{consumer} has {records} records to read");
                look.evidence.unfinished.push(unread);
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
}

impl Look {
    /// What nothing explains.
    fn open(&self) -> Vec<Finding> {
        let findings = rules::judge(&self.facts).into_iter();
        findings
            .filter(|finding| explains(finding, &self.facts, &self.evidence).is_none())
            .collect()
    }

    fn explained(&self) -> Vec<Explained> {
        let findings = rules::judge(&self.facts).into_iter();
        let explained = findings.filter_map(|finding| {
            let because = explains(&finding, &self.facts, &self.evidence)?;
            Some(Explained { finding, because })
        });
        explained.collect()
    }
}

async fn look(sources: &Sources, ids: &[Uuid]) -> anyhow::Result<BTreeMap<Uuid, Look>> {
    let facts = sources.these(ids, now()).await?;
    // After the facts: what they came to by then is published, or waits to be.
    let mut evidence = sources.evidence(ids).await?;
    let look = |(id, facts)| {
        let evidence = evidence.remove(&id).unwrap_or_default();
        (id, Look { facts, evidence })
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
    let discarded = || {
        let consumer = rule.about.consumer()?;
        let done = evidence.discarded.iter().any(|it| it == consumer);
        done.then(|| format!("an operator has discarded a message of it in {consumer}"))
    };
    let unfinished = || evidence.unfinished.first().cloned();
    match rule.holds {
        Holds::Always => operator().or_else(discarded),
        Holds::AtRest => facts
            .under_way()
            .or_else(unfinished)
            .or_else(operator)
            .or_else(discarded),
        Holds::Unattended => unfinished(),
    }
}

/// Waits until everybody has read up to these ends, so long at most. Gives who has not.
///
/// # Errors
/// Kafka does not answer.
pub(crate) async fn caught_up(
    kafka: &Kafka,
    ends: &Ends,
    patience: Duration,
) -> anyhow::Result<BTreeMap<&'static str, i64>> {
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

    fn parked() -> Evidence {
        Evidence {
            unfinished: vec!["delivery-service has parked messages of it".to_owned()],
            discarded: vec![],
        }
    }

    #[test]
    fn what_waits_is_explained_by_what_is_parked_and_a_double_charge_by_nothing() {
        let undelivered = complete().and(|facts| {
            facts.delivery = None;
            facts.asked.views = false;
        });
        let explained = because(&undelivered, &parked());
        assert!(explained.iter().any(Option::is_some), "delivery-made");
        assert!(
            explained.iter().any(Option::is_none),
            "COMPLETE without a delivery never is"
        );
        let charged = complete().and(|facts| {
            let charge = facts.ledger[1].clone();
            facts.ledger.push(charge);
        });
        assert_eq!(because(&charged, &parked()), [None]);
    }

    #[test]
    fn while_an_answer_is_awaited_an_order_is_under_way() {
        let cooked = |saga, step| {
            Example::at(step, saga, OrderState::Preparing).and(|facts| {
                facts.cook.as_mut().unwrap().state = contracts::CookState::Ready;
                facts.asked.views = false;
            })
        };
        let none = Evidence::default();
        let capturing = cooked(State::Forward, "capture payment");
        assert!(because(&capturing, &none).iter().all(Option::is_some));
        let waiting = cooked(State::Waiting, "cooked");
        assert!(because(&waiting, &none).iter().all(Option::is_none));
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
