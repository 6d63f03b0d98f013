//! Kills one instance of each service, one service after the other, while orders go on.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep_until, timeout};
use visitor::platform::{Platform, Probe};

use crate::completions::Completions;
use crate::costs::work::Work;

/// Before the first blow orders have begun to complete.
const CALM: Duration = Duration::from_secs(5);
/// How long a victim is waited for, and whoever takes its place.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that was killed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blow {
    pub(super) victim: String,
    /// When; nothing: it did not live.
    at: Option<DateTime<Utc>>,
    /// Seconds until it was started again and ready.
    pub(super) back: Option<f64>,
    /// The longest that no order completed until the next blow, of all orders and not of those in the victim's partitions, in seconds.
    pub(super) standstill: f64,
}

impl Blow {
    /// What is wrong with it, in words.
    pub(super) fn broken(&self) -> Option<String> {
        let victim = &self.victim;
        match (self.at, self.back) {
            (None, _) => Some(format!("{victim} did not live to be killed")),
            (_, None) => Some(format!("{victim} was not ready again after {PATIENCE:?}")),
            _ => None,
        }
    }
}

/// Of each service that has several instances the one that has done most.
pub(super) fn victims(platform: &Platform, work: &BTreeMap<String, Work>) -> Vec<String> {
    let speaking = platform.members.iter();
    let speaking = speaking.filter(|member| member.probe == Probe::Http);
    let equals = speaking.map(|member| (member.service(), member.name.as_str()));
    busiest(equals, |name| work.get(name).map_or(0.0, |work| work.all()))
}

fn busiest<'a>(
    equals: impl Iterator<Item = (&'a str, &'a str)>,
    done: impl Fn(&str) -> f64,
) -> Vec<String> {
    let mut services: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (service, name) in equals {
        services.entry(service).or_default().push(name);
    }
    let several = services.into_values().filter(|names| names.len() > 1);
    let most = several.filter_map(|names| {
        let names = names.into_iter();
        names.max_by(|left, right| done(left).total_cmp(&done(right)))
    });
    most.map(str::to_owned).collect()
}

/// Kills them, spread over a load of this length that begins now.
pub(super) async fn strike(platform: &Platform, victims: &[String], length: Duration) -> Vec<Blow> {
    let begin = Instant::now() + CALM;
    let gap = length
        .saturating_sub(CALM)
        .div_f64(victims.len() as f64 + 1.0);
    let mut blows = Vec::with_capacity(victims.len());
    let mut due = begin;
    for victim in victims {
        due += gap;
        sleep_until(due).await;
        blows.push(kill(platform, victim).await);
    }
    blows
}

async fn kill(platform: &Platform, victim: &str) -> Blow {
    let mut blow = Blow {
        victim: victim.to_owned(),
        ..Blow::default()
    };
    if let Some(process) = platform.living(victim, PATIENCE).await {
        let struck = Instant::now();
        blow.at = Some(ambient::now());
        process.signal(Signal::SIGKILL);
        let back = timeout(PATIENCE, platform.back(victim, &process)).await;
        blow.back = matches!(back, Ok(Ok(()))).then(|| struck.elapsed().as_secs_f64());
    }
    blow
}

/// Tells each blow how long no order completed after it.
pub(super) fn judge(blows: &mut [Blow], ends: &Completions) {
    let Some((_, last)) = ends.span() else { return };
    let mut until = last;
    for blow in blows.iter_mut().rev() {
        if let Some(at) = blow.at {
            blow.standstill = ends.standstill((at, until)).as_secs_f64();
            until = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instance_that_works_most_is_the_victim_and_whoever_is_alone_is_none() {
        let equals = [
            ("order-view", "order-view"),
            ("order-view", "order-view-1"),
            ("message-relay", "message-relay"),
            ("message-relay", "message-relay-1"),
            ("gateway-simulator", "gateway-simulator"),
        ];
        let done = |name: &str| match name {
            "message-relay" => 8.0,
            "order-view-1" => 5.0,
            _ => 0.0,
        };
        let victims = busiest(equals.into_iter(), done);
        assert_eq!(victims, ["message-relay", "order-view-1"]);
    }

    #[test]
    fn a_victim_that_was_not_there_or_did_not_come_back_is_told() {
        let blow = |at, back| Blow {
            at,
            back,
            ..Blow::default()
        };
        let moment = Some(DateTime::UNIX_EPOCH);
        assert!(blow(None, None).broken().is_some());
        assert!(blow(moment, None).broken().is_some());
        assert_eq!(blow(moment, Some(0.3)).broken(), None);
    }
}
