//! Hops: from the moment in which one service decided to say something to the moment in which another decided upon it. So a
//! hop is a commit, the relay, Kafka, a consumer, and its decision.
//!
//! Participants name what they answer (`ce_causationid`). order-service's messages do not: what they follow from is written
//! in the saga's definition, and read from there. Where a step waits for a person and for the step before it, the later of
//! the two has caused it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::Topic;
use messaging::Message;
use saga::{Definition, Process};
use uuid::Uuid;

use crate::quantiles::{Latencies, Quantiles};

/// Calls of the gateway are in between: its own time, not that of the platform.
const AT_THE_GATEWAY: [&str; 2] = ["PAYMENT_APPROVED", "PAYMENT_CAPTURED"];

/// Which kinds of replies lead to which command or announcement: (topic, kind) to kinds.
#[derive(Debug, Default)]
pub(crate) struct Causes(HashMap<(String, String), Vec<String>>);

impl Causes {
    /// Those of a saga that goes forward.
    pub(crate) fn of<D: Process>(definition: &Definition<D>) -> Self {
        let mut causes = Self::default();
        let mut before: Vec<String> = Vec::new();
        for step in definition.steps() {
            if let Some(event) = step.awaited_event() {
                before.push(event.to_owned());
            }
            if let Some(ask) = step.asks() {
                causes.add(ask.command(), &before);
                before = ask.accepted().map(str::to_owned).collect();
            }
            for news in step.announced() {
                causes.add(news, &before);
            }
        }
        causes
    }

    fn add<D>(&mut self, say: &saga::Say<D>, before: &[String]) {
        let place = (say.to().to_owned(), say.kind().to_owned());
        let known = self.0.entry(place).or_default();
        known.extend_from_slice(before);
    }
}

/// Hops by what was said at their end.
#[derive(Debug, Default)]
pub(crate) struct Hops {
    kinds: BTreeMap<String, Latencies>,
}

/// What is told of hops, in milliseconds.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HopTimes {
    /// All together, but those with a call of the payment gateway in them.
    pub(crate) all: Quantiles,
    /// By what was said at the end of the hop.
    pub(crate) kinds: BTreeMap<String, Quantiles>,
}

/// What was said of one order that can be the cause of something.
#[derive(Debug, Default)]
struct Said {
    by_id: HashMap<Uuid, DateTime<Utc>>,
    by_kind: HashMap<String, DateTime<Utc>>,
}

impl Hops {
    /// The hops among `messages` that ended within a window. Messages of one order may be in any order; one that was sent
    /// again counts as it was first said.
    pub(crate) fn among(
        messages: &[Message],
        causes: &Causes,
        window: (DateTime<Utc>, DateTime<Utc>),
    ) -> Self {
        let mut orders: HashMap<Uuid, Said> = HashMap::new();
        let mut effects: HashMap<Uuid, &Message> = HashMap::new();
        for message in messages {
            let said = orders.entry(message.key).or_default();
            said.by_id.entry(message.id).or_insert(message.time);
            if message.topic == Topic::OrderReply.as_str() {
                said.by_kind
                    .entry(message.kind.clone())
                    .or_insert(message.time);
            }
            effects.entry(message.id).or_insert(message);
        }
        let mut hops = Self::default();
        for effect in effects.into_values() {
            if effect.time < window.0 || effect.time > window.1 {
                continue;
            }
            let cause = orders
                .get(&effect.key)
                .and_then(|said| said.cause(effect, causes));
            if let Some(time) = cause.and_then(|cause| (effect.time - cause).to_std().ok()) {
                hops.add(effect, time);
            }
        }
        hops
    }

    fn add(&mut self, effect: &Message, time: Duration) {
        let kind = match effect.topic == Topic::OrderReply.as_str() {
            true => effect.kind.clone(),
            false => format!("{} on {}", effect.kind, effect.topic),
        };
        self.kinds
            .entry(kind)
            .or_insert_with(Latencies::new)
            .add(time);
    }

    /// What is told of them.
    pub(crate) fn times(&self) -> HopTimes {
        let mut all = Latencies::new();
        for (kind, latencies) in &self.kinds {
            if !AT_THE_GATEWAY.contains(&kind.as_str()) {
                all.merge(latencies);
            }
        }
        let kinds = self.kinds.iter();
        HopTimes {
            all: all.quantiles(),
            kinds: kinds
                .map(|(kind, latencies)| (kind.clone(), latencies.quantiles()))
                .collect(),
        }
    }
}

impl Said {
    /// When that was said which led to `effect`.
    fn cause(&self, effect: &Message, causes: &Causes) -> Option<DateTime<Utc>> {
        if let Some(cause) = effect.causation {
            return self.by_id.get(&cause).copied();
        }
        let place = (effect.topic.clone(), effect.kind.clone());
        let kinds = causes.0.get(&place)?.iter();
        kinds
            .filter_map(|kind| self.by_kind.get(kind).copied())
            .filter(|time| *time <= effect.time)
            .max()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn moment(millisecond: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millisecond)
    }

    fn message(topic: &str, kind: &str, id: u128, cause: Option<u128>, at: i64) -> Message {
        Message {
            id: Uuid::from_u128(id),
            kind: kind.to_owned(),
            source: "/test".to_owned(),
            key: Uuid::nil(),
            time: moment(at),
            sequence: 1,
            causation: cause.map(Uuid::from_u128),
            trace: None,
            topic: topic.to_owned(),
            partition: 0,
            offset: 0,
            body: "{}".to_owned(),
        }
    }

    fn causes() -> Causes {
        Causes::of(&order_service::saga::definition(saga::Policy::default()).unwrap())
    }

    fn all(messages: &[Message]) -> BTreeMap<String, Quantiles> {
        let window = (moment(0), moment(1_000_000));
        Hops::among(messages, &causes(), window).times().kinds
    }

    #[test]
    fn a_reply_names_what_it_answers() {
        let found = all(&[
            message("order-reply", "TICKET_CREATED", 2, Some(1), 15),
            message("order-ticket", "ORDER_CREATED", 1, None, 10),
        ]);
        assert!((found["TICKET_CREATED"].p50 - 5.0).abs() < 0.01);
    }

    #[test]
    fn a_command_follows_from_the_reply_to_the_step_before() {
        let found = all(&[
            message("order-reply", "CUSTOMER_APPROVED", 1, None, 10),
            message("order-ticket", "ORDER_CREATED", 2, None, 13),
        ]);
        assert!((found["ORDER_CREATED on order-ticket"].p50 - 3.0).abs() < 0.01);
    }

    #[test]
    fn after_a_wait_the_later_of_person_and_step_counts() {
        let capture = |ready, prepared| {
            let found = all(&[
                message("order-reply", "KITCHEN_READY", 1, None, ready),
                message("order-reply", "TICKET_PREPARING", 2, None, prepared),
                message("order-payment", "ORDER_READY", 3, None, 100),
            ]);
            found["ORDER_READY on order-payment"].p50
        };
        assert!((capture(90, 20) - 10.0).abs() < 0.02);
        assert!((capture(20, 70) - 30.0).abs() < 0.05);
    }

    #[test]
    fn news_of_a_state_follow_from_the_same_reply_as_the_next_state() {
        let found = all(&[
            message("order-reply", "TICKET_PREPARING", 1, None, 10),
            message("order-customer", "ORDER_CHANGED", 2, None, 14),
        ]);
        assert!((found["ORDER_CHANGED on order-customer"].p50 - 4.0).abs() < 0.01);
    }

    #[test]
    fn what_was_sent_again_counts_once() {
        let cause = message("order-ticket", "ORDER_CREATED", 1, None, 10);
        let reply = message("order-reply", "TICKET_CREATED", 2, Some(1), 15);
        let found = all(&[cause.clone(), reply.clone(), cause, reply]);
        assert_eq!(found["TICKET_CREATED"].count, 1);
    }

    #[test]
    fn calls_of_the_gateway_are_not_among_all() {
        let messages = [
            message("order-payment", "ORDER_CREATED", 1, None, 10),
            message("order-reply", "PAYMENT_APPROVED", 2, Some(1), 500),
        ];
        let window = (moment(0), moment(1_000));
        let times = Hops::among(&messages, &causes(), window).times();
        assert_eq!(
            (times.all.count, times.kinds["PAYMENT_APPROVED"].count),
            (0, 1)
        );
    }

    #[test]
    fn hops_that_ended_outside_of_the_window_are_not_counted() {
        let messages = [
            message("order-ticket", "ORDER_CREATED", 1, None, 10),
            message("order-reply", "TICKET_CREATED", 2, Some(1), 15),
        ];
        let hops = Hops::among(&messages, &causes(), (moment(16), moment(20)));
        assert!(hops.times().kinds.is_empty());
    }
}
