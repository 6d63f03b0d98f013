//! What is run, and for how long.

use std::time::Duration;

use serde::Serialize;

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Part {
    /// What the machine can do at best; always run
    Calibrate,
    /// The platform before any load: memory, and processor time while nothing happens
    Idle,
    /// The toolkit alone: relay, batched consumer, pure parts
    Toolkit,
    /// One order at a time, until the view shows it PREPARING
    Unloaded,
    /// The highest rate that is kept up, and what it costs
    Top,
    /// Hops at 30 % of that
    Calm,
    /// Twice as much as that
    Overload,
    /// With a million finished orders
    Million,
    /// 70 % of the top for long: does the backlog grow?
    Backlog,
}

/// How long each part takes, and how much it does.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Plan {
    /// How long Kafka is used before anything is measured, in seconds.
    pub(crate) warm: u64,
    /// How long each of the other limits is measured, in seconds.
    pub(crate) calibrate: u64,
    /// How long Kafka alone is timed at each rate, in seconds: a p99 needs more than a median.
    pub(crate) kafka: u64,
    /// How long nothing happens, in seconds.
    pub(crate) idle: u64,
    /// How many rows the relay drains.
    pub(crate) rows: u64,
    /// How long the relay's latency is measured at each rate, in seconds.
    pub(crate) relay: u64,
    /// How many messages the batched consumer is given.
    pub(crate) messages: u64,
    /// How many orders are timed one after another.
    pub(crate) unloaded: u64,
    /// How long each step of the search for the top is offered, in seconds.
    pub(crate) step: u64,
    /// How often the top is halved in on.
    pub(crate) bisections: u32,
    /// How long the top is kept up, in seconds.
    pub(crate) top: u64,
    /// How long 30 % of it is, in seconds.
    pub(crate) calm: u64,
    /// How long twice as much is offered, in seconds.
    pub(crate) overload: u64,
    /// How many finished orders are put into the tables.
    pub(crate) finished: u64,
    /// How long writers write at 70 %, in seconds.
    pub(crate) backlog: u64,
}

impl Plan {
    /// Everything as it is asked for.
    pub(crate) const FULL: Self = Self {
        warm: 60,
        calibrate: 5,
        kafka: 15,
        idle: 30,
        rows: 1_000_000,
        relay: 20,
        messages: 300_000,
        unloaded: 300,
        step: 20,
        bisections: 3,
        top: 60,
        calm: 60,
        overload: 300,
        finished: 1_000_000,
        backlog: 1_800,
    };

    /// Everything in about twelve minutes.
    pub(crate) const QUICK: Self = Self {
        warm: 30,
        calibrate: 3,
        kafka: 4,
        idle: 15,
        rows: 200_000,
        relay: 8,
        messages: 60_000,
        unloaded: 100,
        step: 12,
        bisections: 2,
        top: 30,
        calm: 30,
        overload: 45,
        finished: 100_000,
        backlog: 90,
    };

    /// What was shorter or smaller than it is asked for, in words.
    pub(crate) fn shortened(&self, ran: impl Fn(Part) -> bool) -> Vec<String> {
        let full = Self::FULL;
        let measures = [
            (
                Part::Calibrate,
                "warming Kafka up",
                self.warm,
                full.warm,
                "s",
            ),
            (
                Part::Calibrate,
                "F, C1 and C16, each",
                self.calibrate,
                full.calibrate,
                "s",
            ),
            (
                Part::Calibrate,
                "Kafka alone, at each rate",
                self.kafka,
                full.kafka,
                "s",
            ),
            (Part::Idle, "idle", self.idle, full.idle, "s"),
            (Part::Toolkit, "relay drain", self.rows, full.rows, "rows"),
            (Part::Toolkit, "relay latency", self.relay, full.relay, "s"),
            (
                Part::Toolkit,
                "batched consumer",
                self.messages,
                full.messages,
                "messages",
            ),
            (
                Part::Unloaded,
                "unloaded",
                self.unloaded,
                full.unloaded,
                "orders",
            ),
            (
                Part::Top,
                "each rate in looking for the top",
                self.step,
                full.step,
                "s",
            ),
            (
                Part::Top,
                "halvings in looking for the top",
                u64::from(self.bisections),
                u64::from(full.bisections),
                "times",
            ),
            (Part::Top, "top", self.top, full.top, "s"),
            (Part::Calm, "30 % of the top", self.calm, full.calm, "s"),
            (
                Part::Overload,
                "overload",
                self.overload,
                full.overload,
                "s",
            ),
            (
                Part::Million,
                "finished orders",
                self.finished,
                full.finished,
                "orders",
            ),
            (Part::Backlog, "backlog", self.backlog, full.backlog, "s"),
        ];
        let shorter = measures
            .into_iter()
            .filter(|(part, _, own, full, _)| ran(*part) && own < full);
        shorter
            .map(|(_, name, own, full, unit)| format!("{name}: {own} of {full} {unit}"))
            .collect()
    }
}

/// So many seconds.
pub(crate) const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_long_as_it_is_asked_for_is_not_told() {
        assert!(Plan::FULL.shortened(|_| true).is_empty());
    }

    #[test]
    fn what_is_shorter_is_told_if_it_was_run() {
        let short = Plan {
            overload: 60,
            idle: 1,
            ..Plan::FULL
        };
        let told = short.shortened(|part| part != Part::Idle);
        assert_eq!(told, ["overload: 60 of 300 s"]);
    }
}
