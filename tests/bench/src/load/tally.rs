//! What was answered to whom, and how soon.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::http::Answer;
use super::order;
use crate::quantiles::{Latencies, Quantiles};

/// Counts while the load is under way.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Debug)]
struct Counts {
    told: Offered,
    late: Latencies,
    post: Latencies,
    view: Latencies,
    act: Latencies,
}

/// What was offered, and what came of it as its clients see it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Offered {
    /// Orders that arrived.
    pub(crate) arrivals: u64,
    /// `POST /orders` by status.
    pub(crate) answers: BTreeMap<u16, u64>,
    /// `POST /orders` that got no answer.
    pub(crate) unanswered: u64,
    /// Orders whose last action succeeded.
    pub(crate) finished: u64,
    /// Orders that were given up: an action did not succeed, however often it was tried.
    pub(crate) given_up: u64,
    /// Actions that came too early (404, 409), and were asked for again.
    pub(crate) early: u64,
    /// Actions that were refused otherwise, or got no answer, and were asked for again.
    pub(crate) refused: u64,
    /// Requests that found nobody listening, and were sent again, to the next instance.
    pub(crate) unreached: u64,
    /// Requests whose connection broke before the answer was there; likewise.
    pub(crate) broken: u64,
    /// Orders that were watched and did not come to be seen.
    pub(crate) unseen: u64,
    /// How late the generator was itself, in milliseconds.
    pub(crate) late: Quantiles,
    /// From the moment in which it was due to the 201, in milliseconds.
    pub(crate) post: Quantiles,
    /// From the moment in which the order was due until the view showed it PREPARING, in milliseconds.
    pub(crate) view: Quantiles,
    /// From the moment in which an action was due to its success, in milliseconds.
    pub(crate) act: Quantiles,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            told: Offered::default(),
            late: Latencies::new(),
            post: Latencies::new(),
            view: Latencies::new(),
            act: Latencies::new(),
        }
    }
}

impl Tally {
    /// An order arrives, so much later than it was due.
    pub(super) fn arrives(&self, late: Duration) {
        let mut counts = self.counts();
        counts.told.arrivals += 1;
        counts.late.add(late);
    }

    /// `POST /orders` was answered; gives the order's id, where it was taken.
    pub(super) fn placed(&self, after: Duration, answer: Option<&Answer>) -> Option<String> {
        let mut counts = self.counts();
        let Some(answer) = answer else {
            counts.told.unanswered += 1;
            return None;
        };
        *counts.told.answers.entry(answer.status).or_default() += 1;
        if answer.status != 201 {
            return None;
        }
        counts.post.add(after);
        order::id(&answer.body)
    }

    pub(super) fn acted(&self, after: Duration) {
        self.counts().act.add(after);
    }

    pub(super) fn asks_again(&self, status: Option<u16>) {
        let mut counts = self.counts();
        match status {
            Some(404 | 409) => counts.told.early += 1,
            _ => counts.told.refused += 1,
        }
    }

    pub(super) fn watched(&self, after: Option<Duration>) {
        let mut counts = self.counts();
        match after {
            Some(after) => counts.view.add(after),
            None => counts.told.unseen += 1,
        }
    }

    pub(super) fn finishes(&self) {
        self.counts().told.finished += 1;
    }

    pub(super) fn gives_up(&self) {
        self.counts().told.given_up += 1;
    }

    /// What was offered so far.
    pub(crate) fn offered(&self) -> Offered {
        let counts = self.counts();
        Offered {
            late: counts.late.quantiles(),
            post: counts.post.quantiles(),
            view: counts.view.quantiles(),
            act: counts.act.quantiles(),
            ..counts.told.clone()
        }
    }

    /// Arrivals and orders that were finished so far: for a line of progress.
    pub(crate) fn glance(&self) -> (u64, u64) {
        let counts = self.counts();
        (counts.told.arrivals, counts.told.finished)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Offered {
    /// Orders that were taken.
    pub(crate) fn taken(&self) -> u64 {
        self.answers.get(&201).copied().unwrap_or_default()
    }

    /// Orders that were turned away, as one may under too much load.
    pub(crate) fn shed(&self) -> u64 {
        let shed = [429, 503]
            .iter()
            .filter_map(|status| self.answers.get(status));
        shed.sum()
    }

    /// Orders that were neither taken nor turned away.
    pub(crate) fn failed(&self) -> u64 {
        let all: u64 = self.answers.values().sum();
        self.unanswered + all - self.taken() - self.shed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Answer {
        Answer {
            status,
            body: r#"{"orderId":"018f"}"#.into(),
        }
    }

    #[test]
    fn orders_are_taken_or_turned_away_or_fail() {
        let tally = Tally::default();
        for status in [201, 201, 429, 503, 500] {
            let id = tally.placed(Duration::from_millis(2), Some(&answer(status)));
            assert_eq!(id.as_deref(), (status == 201).then_some("018f"));
        }
        assert_eq!(tally.placed(Duration::from_millis(2), None), None);
        let offered = tally.offered();
        assert_eq!(
            (offered.taken(), offered.shed(), offered.failed()),
            (2, 2, 2)
        );
        assert_eq!(offered.post.count, 2);
    }

    #[test]
    fn whoever_comes_too_early_is_told_apart_from_whoever_is_refused() {
        let tally = Tally::default();
        for status in [Some(404), Some(409), Some(503), None] {
            tally.asks_again(status);
        }
        let offered = tally.offered();
        assert_eq!((offered.early, offered.refused), (2, 2));
    }
}
