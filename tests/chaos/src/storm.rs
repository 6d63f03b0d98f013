//! The chaos itself: load and faults at once, then healing, then waiting until every order has ended.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use visitor::console::{Progress, say};
use visitor::platform::Platform;
use visitor::violation::Violation;

use crate::faults::{Deeds, rage};
use crate::load::Load;
use crate::schedule::schedule;

/// Readers beside those who follow their own orders.
const READERS: u64 = 3;
/// How long everything may take to be ready after the last fault.
const READY: Duration = Duration::from_secs(90);
/// How long the last order may take to end after that. A saga may wait for an answer for a minute before it asks again.
const ENDED: Duration = Duration::from_secs(150);

/// What came of it.
#[derive(Debug)]
pub(crate) struct Aftermath {
    pub(crate) violations: Vec<Violation>,
    pub(crate) standstill: Duration,
    pub(crate) ready_after: Duration,
    pub(crate) ended_after: Duration,
}

/// Rages for so long, heals and waits.
pub(crate) async fn storm(
    platform: &Platform,
    load: &Arc<Load>,
    rate: f64,
    length: Duration,
    deeds: &Deeds,
) -> Aftermath {
    let begin = Instant::now();
    let end = begin + length;
    let victims: Vec<String> = platform
        .members
        .iter()
        .map(|member| member.name.clone())
        .collect();
    let faults = schedule(load.seed, &victims, length);
    let readers = join_all((0..READERS).map(|number| load.read(number, end)));
    let (mut stories, (), read, ()) = tokio::join!(
        load.place(rate, end),
        rage(platform, faults, begin, deeds),
        readers,
        show(load, deeds, length),
    );
    let standstill = load.pulse.longest();
    let mut violations: Vec<Violation> = read.into_iter().flatten().collect();

    let healing = Instant::now();
    let mut last = "";
    match platform.all_ready(READY).await {
        Ok((name, _)) => last = name,
        Err(error) => violations.push(Violation::general(error.to_string())),
    }
    let ready_after = healing.elapsed();
    say(format_args!(
        "all processes are ready {:.1} s after the last fault, {last} as the last; {} orders are under way",
        ready_after.as_secs_f64(),
        stories.len()
    ));
    drain(&mut stories).await;
    Aftermath {
        violations,
        standstill,
        ready_after,
        ended_after: healing.elapsed(),
    }
}

/// Waits until every story is over. Those that are not in time show in their accounts.
async fn drain(stories: &mut JoinSet<()>) {
    let all = async { while stories.join_next().await.is_some() {} };
    let _ = timeout(ENDED, all).await;
    stories.shutdown().await;
}

async fn show(load: &Load, deeds: &Deeds, length: Duration) {
    let mut progress = Progress::begin(length);
    let begin = Instant::now();
    while begin.elapsed() < length {
        sleep(Duration::from_secs(1)).await;
        let count = load.count();
        progress.tell(&format!(
            "{} orders, {} ended; {} kills, {} pauses, {} restarts, last: {}; longest standstill {:.1} s",
            count.orders,
            count.ended,
            deeds.count("kill", None),
            deeds.count("pause", None),
            deeds.count("restart", None),
            deeds.last(),
            load.pulse.longest().as_secs_f64()
        ));
    }
}
