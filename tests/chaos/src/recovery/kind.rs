//! The kinds of blows, what "moves on" means after each, and how soon it must.

use std::collections::BTreeSet;

use serde::Serialize;
use visitor::client::{
    CUSTOMERS, DELIVERY, GATEWAY, KITCHEN, ORDERS, PAYMENTS, RELAY, RESTAURANTS, VIEW,
};
use visitor::platform::{Platform, Probe};

use super::Times;

/// How the victim is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Blow {
    /// SIGKILL; its supervisor starts it again.
    Kill,
    /// SIGKILL, while nobody starts anything again.
    KillForGood,
    /// SIGSTOP: it keeps its connections and does nothing.
    Stop,
}

/// Who is struck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Victim {
    Named(String),
    /// The relay that publishes what order-service says.
    RelayAtWork,
}

/// What an order that was asked for after the blow must have done to have moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Goal {
    /// The view shows this version of it.
    Version(i64),
    /// A courier, who asks after the blow, picks up one that was READY before it, and the view shows it PICKEDUP.
    PickedUp,
}

/// Which measure counts, from when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Counts {
    /// From the blow to the first order.
    First,
    /// From the blow to the last of the orders that were asked for right after it.
    Slowest,
    /// From the moment in which the victim is up again to the first order.
    FirstOnceUp,
}

/// A kind of blow.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kind {
    pub(crate) title: String,
    pub(crate) victim: Victim,
    pub(crate) blow: Blow,
    /// Its equals stand still meanwhile.
    pub(crate) alone: bool,
    pub(crate) goal: Goal,
    pub(crate) counts: Counts,
    /// Seconds.
    pub(crate) bound: f64,
}

impl Counts {
    /// The measure of one blow, in seconds.
    pub(crate) fn of(self, times: &Times) -> Option<f64> {
        match self {
            Self::First => times.first,
            Self::Slowest => times.all,
            Self::FirstOnceUp => Some((times.first? - times.up?).max(0.0)),
        }
    }

    /// In words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::First => "first order, from the kill",
            Self::Slowest => "slowest order, from the kill",
            Self::FirstOnceUp => "first order, once it is up",
        }
    }
}

impl Kind {
    /// Whether every blow was got over within the bound.
    pub(crate) fn holds(&self, trials: &[Times]) -> bool {
        trials.iter().all(|times| {
            self.counts
                .of(times)
                .is_some_and(|seconds| seconds <= self.bound)
        })
    }
}

/// The version of an order that says that a service has done its part: its `ORDER_…` after the service's answer. See
/// the saga: 1 verify, 2 create ticket, 3 authorise, 4 approve ticket, 5 cook, 6 prepare ticket, 7 PREPARING.
fn goal(service: &str) -> Goal {
    match service {
        // Published, and shown.
        RELAY | VIEW => Goal::Version(1),
        // Its own: it has taken the order and handled an answer.
        ORDERS | CUSTOMERS => Goal::Version(2),
        RESTAURANTS => Goal::Version(3),
        PAYMENTS | GATEWAY => Goal::Version(4),
        KITCHEN => Goal::Version(6),
        DELIVERY => Goal::PickedUp,
        // Everybody needs the servers.
        _ => Goal::Version(7),
    }
}

/// All kinds that this platform has the instances for.
pub(crate) fn all(platform: &Platform) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let mut seen = BTreeSet::new();
    for member in &platform.members {
        let service = member.service();
        if !seen.insert(service.to_owned()) {
            continue;
        }
        let instances = platform.instances(service);
        match (member.probe, service) {
            (Probe::Http, RELAY) => relay(instances.len() > 1, &mut kinds),
            (Probe::Http, _) => {
                let equals: Vec<&str> = instances.iter().map(|one| one.name.as_str()).collect();
                of_service(service, &equals, &mut kinds);
            }
            (Probe::Postgres | Probe::Kafka, _) => {
                kinds.push(kind(
                    format!("{service} killed"),
                    service,
                    Blow::Kill,
                    Counts::FirstOnceUp,
                    5.0,
                ));
            }
        }
    }
    kinds
}

fn kind(title: String, victim: &str, blow: Blow, counts: Counts, bound: f64) -> Kind {
    Kind {
        title,
        victim: Victim::Named(victim.to_owned()),
        blow,
        alone: false,
        goal: goal(victim),
        counts,
        bound,
    }
}

fn relay(standby: bool, kinds: &mut Vec<Kind>) {
    let at_work = |title: &str, blow, counts, bound| Kind {
        victim: Victim::RelayAtWork,
        ..kind(title.to_owned(), RELAY, blow, counts, bound)
    };
    // The shards may be divided between the two: some orders never need the victim.
    if standby {
        for (title, blow) in [
            ("relay killed, standby takes over", Blow::KillForGood),
            ("relay stands still, standby takes over", Blow::Stop),
            ("relay killed, standby and restart", Blow::Kill),
        ] {
            kinds.push(at_work(title, blow, Counts::Slowest, 1.0));
        }
    }
    kinds.push(Kind {
        alone: true,
        ..at_work(
            "relay alone, killed and restarted",
            Blow::Kill,
            Counts::FirstOnceUp,
            0.3,
        )
    });
}

fn of_service(service: &str, instances: &[&str], kinds: &mut Vec<Kind>) {
    let of = |victim: &str, title: String, blow, counts, bound| Kind {
        goal: goal(service),
        ..kind(title, victim, blow, counts, bound)
    };
    match instances {
        [] | [_] => kinds.push(of(
            service,
            format!("{service} killed"),
            Blow::Kill,
            Counts::First,
            2.0,
        )),
        [first, .., last] => {
            let title = format!("{service} killed, one of {}", instances.len());
            kinds.push(of(first, title, Blow::Kill, Counts::Slowest, 2.0));
            let title = format!("{service} killed, another takes over");
            kinds.push(of(last, title, Blow::KillForGood, Counts::Slowest, 8.0));
            let title = format!("{service} stands still, another takes over");
            kinds.push(of(last, title, Blow::Stop, Counts::Slowest, 8.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times {
        up: Some(1.0),
        first: Some(1.25),
        all: Some(2.0),
    };

    #[test]
    fn each_measure_begins_where_its_name_says() {
        assert_eq!(Counts::First.of(&TIMES), Some(1.25));
        assert_eq!(Counts::Slowest.of(&TIMES), Some(2.0));
        assert_eq!(Counts::FirstOnceUp.of(&TIMES), Some(0.25));
    }

    #[test]
    fn an_order_that_moves_before_its_victim_says_that_it_is_up_took_no_time() {
        let times = Times {
            up: Some(1.5),
            ..TIMES
        };
        assert_eq!(Counts::FirstOnceUp.of(&times), Some(0.0));
    }

    #[test]
    fn one_blow_beyond_the_bound_or_never_got_over_is_a_miss() {
        let kind = kind(String::new(), "kafka", Blow::Kill, Counts::First, 2.0);
        let late = Times {
            first: Some(2.5),
            ..TIMES
        };
        let never = Times {
            first: None,
            ..TIMES
        };
        assert!(kind.holds(&[TIMES, TIMES]));
        assert!(!kind.holds(&[TIMES, late]));
        assert!(!kind.holds(&[TIMES, never]));
    }

    #[test]
    fn a_service_with_an_equal_is_struck_in_three_ways_and_its_slowest_order_counts() {
        let mut kinds = Vec::new();
        of_service(
            "order-service",
            &["order-service", "order-service-1"],
            &mut kinds,
        );
        let blows: Vec<Blow> = kinds.iter().map(|kind| kind.blow).collect();
        assert_eq!(blows, [Blow::Kill, Blow::KillForGood, Blow::Stop]);
        assert!(kinds.iter().all(|kind| kind.counts == Counts::Slowest));
    }
}
