//! Orders whose end was announced: what counts as a lifecycle.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::{Kind, OrderState, Topic};
use messaging::Message;
use serde::Deserialize;
use uuid::Uuid;

use crate::run::Window;

/// When each order was announced COMPLETE.
#[derive(Debug, Clone, Default)]
pub(crate) struct Completions(HashMap<Uuid, DateTime<Utc>>);

#[derive(Deserialize)]
struct Changed {
    state: OrderState,
}

impl Completions {
    /// Takes a message; only those count that announce an order COMPLETE, and each order once.
    pub(crate) fn hear(&mut self, message: &Message) {
        let announces = message.topic == Topic::OrderCustomer.as_str()
            && message.kind == Kind::OrderChanged.as_str();
        let complete = announces
            && serde_json::from_str::<Changed>(&message.body)
                .is_ok_and(|changed| changed.state == OrderState::Complete);
        if complete {
            self.0.entry(message.key).or_insert(message.time);
        }
    }

    /// How many orders.
    pub(crate) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// How many of them within a window.
    pub(crate) fn within(&self, (begin, end): Window) -> u64 {
        let inside = |at: &&DateTime<Utc>| **at >= begin && **at < end;
        self.0.values().filter(inside).count() as u64
    }

    /// From the first that was announced to the last, if any was.
    pub(crate) fn span(&self) -> Option<Window> {
        let all = || self.0.values().copied();
        Some((all().min()?, all().max()?))
    }

    /// The longest part of a window in which none was announced, of all orders: those of some partitions may stand still longer.
    pub(crate) fn standstill(&self, (begin, end): Window) -> Duration {
        let inside = |at: &DateTime<Utc>| (begin..end).contains(at);
        let mut moments: Vec<_> = self.0.values().copied().filter(inside).collect();
        moments.extend([begin, end]);
        moments.sort_unstable();
        let gaps = moments.windows(2).map(|two| two[1] - two[0]);
        gaps.max()
            .and_then(|gap| gap.to_std().ok())
            .unwrap_or_default()
    }

    /// How many in each second since a moment.
    pub(crate) fn by_second(&self, begin: DateTime<Utc>) -> Vec<u64> {
        let mut seconds = Vec::new();
        for at in self.0.values() {
            let Ok(second) = usize::try_from((*at - begin).num_seconds()) else {
                continue;
            };
            if seconds.len() <= second {
                seconds.resize(second + 1, 0);
            }
            seconds[second] += 1;
        }
        seconds
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn changed(order: u128, state: &str, second: i64) -> Message {
        Message {
            id: Uuid::nil(),
            kind: "ORDER_CHANGED".to_owned(),
            source: "/test".to_owned(),
            key: Uuid::from_u128(order),
            time: DateTime::UNIX_EPOCH + TimeDelta::seconds(second),
            sequence: 1,
            causation: None,
            trace: None,
            topic: "order-customer".to_owned(),
            partition: 0,
            offset: 0,
            body: format!(r#"{{"orderId":"x","state":"{state}","version":14}}"#),
        }
    }

    fn heard(messages: &[Message]) -> Completions {
        let mut completions = Completions::default();
        messages
            .iter()
            .for_each(|message| completions.hear(message));
        completions
    }

    #[test]
    fn only_complete_orders_count_and_each_once() {
        let completions = heard(&[
            changed(1, "READY", 1),
            changed(1, "COMPLETE", 2),
            changed(1, "COMPLETE", 2),
            changed(2, "COMPLETE", 4),
        ]);
        assert_eq!(completions.count(), 2);
        assert_eq!(completions.by_second(DateTime::UNIX_EPOCH), [0, 0, 1, 0, 1]);
    }

    #[test]
    fn those_outside_of_the_window_do_not_count_in_it() {
        let completions = heard(&[
            changed(1, "COMPLETE", 1),
            changed(2, "COMPLETE", 2),
            changed(3, "COMPLETE", 4),
        ]);
        let at = |second| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        assert_eq!(completions.within((at(2), at(4))), 1);
    }

    #[test]
    fn a_standstill_is_the_longest_time_without_one_and_may_last_until_the_window_ends() {
        let completions = heard(&[
            changed(1, "COMPLETE", 1),
            changed(2, "COMPLETE", 3),
            changed(3, "COMPLETE", 8),
            changed(4, "COMPLETE", 9),
        ]);
        let at = |second| DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
        let longest = |from, to| completions.standstill((at(from), at(to))).as_secs();
        assert_eq!((longest(1, 9), longest(1, 4), longest(8, 20)), (5, 2, 11));
        assert_eq!(longest(4, 4), 0);
        assert_eq!(completions.span(), Some((at(1), at(9))));
        assert_eq!(Completions::default().span(), None);
    }
}
