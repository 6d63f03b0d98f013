//! A run of load: what is offered, what it costs, and what came of it as the topics tell it.
//!
//! What is counted lies in a window: it begins when the first orders may have gone all their way, and ends with the last
//! arrival. Orders that complete in it and what was used up in it belong together, since as much is under way at its
//! beginning as at its end.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::Topic;
use messaging::Message;
use serde::Serialize;
use tokio::time::{Instant, sleep, sleep_until};
use visitor::console::Progress;

use crate::backlog::Backlog;
use crate::bench::Bench;
use crate::completions::Completions;
use crate::costs::processes::{self, Process};
use crate::costs::{Bill, Costs};
use crate::hops::{Causes, HopTimes, Hops};
use crate::load::{Habits, Load, Offer, Offered, moments};
use crate::plan::seconds;
use crate::trend::Trend;

/// After this an order that arrived first may have gone all its way: two seconds of cooking, two of delivering, and ours.
const WARM: Duration = Duration::from_secs(5);
/// How long an order takes that nothing holds up: what people take, and a little for us.
const LIFE: Duration = Duration::from_millis(4_300);
/// How long what is under way may take when no more orders arrive.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often consumers store how far they are. Who looked at the same beat would see how far they seem behind rise and fall with the
/// phase of the two, over many minutes, and take that for a trend: so one looks at any moment within so long.
const STORED: Duration = Duration::from_secs(1);
/// What comes in so long may wait or not: rows and calls that grow by no more do not pile up.
const NOISE: Duration = Duration::from_millis(250);
/// Rows of outboxes and calls of the gateway for each order.
pub(crate) const ROWS: f64 = 27.0;
pub(crate) const CALLS: f64 = 2.0;
/// Every so many orders look whether the view shows them.
const WATCHED: u64 = 20;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order<'a> {
    /// For a line of progress.
    pub(crate) name: &'a str,
    /// Orders per second.
    pub(crate) rate: f64,
    /// For how long they arrive, in seconds.
    pub(crate) length: u64,
    /// How often backlog and memory are looked at.
    pub(crate) every: Duration,
    /// Whether hops are told: all topics are read for that, and not only where completions are announced.
    pub(crate) hops: bool,
}

/// A moment of a run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sample {
    /// Seconds since the run began.
    pub(crate) at: f64,
    /// What is under way.
    pub(crate) backlog: Backlog,
    /// MiB by process.
    pub(crate) memory: BTreeMap<String, f64>,
}

/// What came of a run.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    /// Orders per second that were asked for.
    pub(crate) rate: f64,
    /// How long orders arrived, in seconds.
    pub(crate) length: u64,
    /// What was offered, and what its clients saw.
    pub(crate) offered: Offered,
    /// Lifecycles per second that completed in the window.
    pub(crate) completed: f64,
    /// How many that are.
    pub(crate) lifecycles: u64,
    /// How many would have completed in the window if nothing had been held up: arrivals are random, and those that count
    /// are known.
    pub(crate) expected: u64,
    /// Those of the whole run.
    pub(crate) completions: u64,
    /// When each of them completed.
    #[serde(skip)]
    pub(crate) ends: Completions,
    /// Lifecycles that completed, by second of the run.
    pub(crate) throughput: Vec<u64>,
    /// What was used up in the window.
    pub(crate) bill: Bill,
    /// The most memory of each process, in MiB: the kernel's peak, or any sample of one that was started again.
    pub(crate) memory: BTreeMap<String, f64>,
    /// Backlog and memory, over and over.
    pub(crate) samples: Vec<Sample>,
    /// How the backlog went while orders arrived, after the first quarter of that.
    pub(crate) backlog: Trend,
    /// Of it the rows that were not relayed.
    pub(crate) backlog_rows: Trend,
    /// Of it the calls that the gateway had not answered.
    pub(crate) backlog_calls: Trend,
    /// The deepest that it ever was.
    pub(crate) deepest: Option<i64>,
    /// From the last arrival until nothing was under way, in seconds.
    pub(crate) drained: f64,
    /// Hops that ended in the window, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hops: Option<HopTimes>,
}

impl Run {
    /// Part of what was offered that completed in time.
    pub(crate) fn kept_up(&self) -> f64 {
        self.lifecycles as f64 / (self.expected as f64).max(1.0)
    }

    /// Whether the backlog grows: all of it, or rows or calls alone, which records of a second hide.
    pub(crate) fn piles_up(&self) -> bool {
        let taken = self.offered.taken() as f64 / (self.length as f64).max(1.0);
        let noise = |each: f64| NOISE.as_secs_f64() * taken * each;
        self.backlog.grows()
            || self.backlog_rows.grows_by(noise(ROWS))
            || self.backlog_calls.grows_by(noise(CALLS))
    }

    /// Bill and lifecycles: how much of something each lifecycle cost.
    pub(crate) fn each(&self, amount: f64) -> f64 {
        amount / (self.lifecycles as f64).max(1.0)
    }
}

/// Runs it.
///
/// # Errors
/// Nothing comes to rest, what the topics tell is not what the database says, or one of them does not answer.
pub(crate) async fn perform(bench: &Bench, order: Order<'_>) -> anyhow::Result<Run> {
    let site = &bench.site;
    let read: &[Topic] = match order.hops {
        true => Topic::ALL,
        false => &[Topic::OrderCustomer],
    };
    // What is still under way would count here, and belongs to what was before.
    quiet(bench, PATIENCE).await?;
    let (complete, from) = (site.complete().await?, site.topics.ends(read).await?);
    site.settle().await?;
    processes::forget_peaks(&site.platform);
    let (begin, began) = (Instant::now(), ambient::now());
    let offer = Offer {
        rate: order.rate,
        length: seconds(order.length),
        seed: bench.next_seed(),
        habits: Habits {
            watch: Some((bench.preparing, WATCHED)),
            ..Habits::default()
        },
    };
    let load = Load::begin(offer, bench.http.clone(), bench.world.clone())?;
    let end = begin + offer.length;
    let mut samples = Vec::new();
    let mut progress = Progress::begin(offer.length);
    let mut looks = Looks::new(begin + WARM.min(offer.length / 2), end);
    let (mut beat, mut dice) = (begin + order.every, fastrand::Rng::with_seed(offer.seed));
    let mut next = beat;
    while Instant::now() < end {
        sleep_until(next.min(looks.next()).min(end)).await;
        looks.take(bench).await?;
        if Instant::now() >= next {
            beat += order.every;
            next = beat + STORED.mul_f64(dice.f64());
            let sample = sample(bench, begin).await?;
            let (arrived, finished) = load.tally.glance();
            progress.tell(&format!(
                "{} at {:.0}/s: {arrived} orders, {finished} delivered, backlog {}",
                order.name,
                order.rate,
                sample.backlog.total()
            ));
            samples.push(sample);
        }
    }
    let (first, last) = looks.finish(bench).await?;
    drop(progress);
    let offered = load.finish().await?;
    quiet(bench, PATIENCE + offer.length).await?;
    let drained = end.elapsed().as_secs_f64();
    let peaks = processes::look(&site.platform);

    let window = (began + span(first.0 - begin), began + span(last.0 - begin));
    let mut completions = Completions::default();
    let mut messages: Vec<Message> = Vec::new();
    let each = |mut message: Message| {
        completions.hear(&message);
        if order.hops {
            message.body = String::new();
            messages.push(message);
        }
    };
    site.topics.since(read, from, each).await?;
    let counted = site.complete().await? - complete;
    ensure!(
        counted == completions.count() as i64,
        "{} orders were announced COMPLETE in this run, and the database has {counted} more than before",
        completions.count()
    );
    let lifecycles = completions.within(window);
    let due = (first.0 - begin).saturating_sub(LIFE)..(last.0 - begin).saturating_sub(LIFE);
    let expected = moments(&offer)
        .filter(|moment| due.contains(moment))
        .count();
    let causes = Causes::of(&bench.definition);
    let deepest = samples.iter().map(|sample| sample.backlog.total()).max();
    let trend = |of: fn(&Backlog) -> i64| Trend::of(&settled(&samples, order.length, of));
    let backlog = trend(|backlog| backlog.total());
    let (backlog_rows, backlog_calls) = (
        trend(|backlog| backlog.rows),
        trend(|backlog| backlog.calls),
    );
    Ok(Run {
        rate: order.rate,
        length: order.length,
        offered,
        completed: lifecycles as f64 / (last.0 - first.0).as_secs_f64(),
        lifecycles,
        expected: expected as u64,
        completions: completions.count(),
        throughput: completions.by_second(began),
        ends: completions,
        bill: last.1.since(&first.1),
        memory: most(&samples, &peaks),
        samples,
        backlog,
        backlog_rows,
        backlog_calls,
        deepest,
        drained,
        hops: order
            .hops
            .then(|| Hops::among(&messages, &causes, window).times()),
    })
}

/// The two looks at what was used up: at the beginning of the window, and at its end.
struct Looks {
    first: Instant,
    last: Instant,
    taken: Option<(Instant, Costs)>,
}

impl Looks {
    const fn new(first: Instant, last: Instant) -> Self {
        Self {
            first,
            last,
            taken: None,
        }
    }

    /// When it is time for a look.
    fn next(&self) -> Instant {
        match self.taken {
            None => self.first,
            Some(_) => self.last,
        }
    }

    /// Looks for the first time, if it is time.
    async fn take(&mut self, bench: &Bench) -> anyhow::Result<()> {
        if self.taken.is_none() && Instant::now() >= self.first {
            let costs = Costs::look(&bench.site).await?;
            self.taken = Some((Instant::now(), costs));
        }
        Ok(())
    }

    /// Looks for the last time.
    async fn finish(
        mut self,
        bench: &Bench,
    ) -> anyhow::Result<((Instant, Costs), (Instant, Costs))> {
        self.take(bench).await?;
        let last = Costs::look(&bench.site).await?;
        let first = self.taken.context("the window never began")?;
        Ok((first, (Instant::now(), last)))
    }
}

async fn sample(bench: &Bench, begin: Instant) -> anyhow::Result<Sample> {
    let backlog = Backlog::look(&bench.site).await?;
    let memory = processes::look(&bench.site.platform);
    Ok(Sample {
        at: begin.elapsed().as_secs_f64(),
        backlog,
        memory: memory
            .into_iter()
            .map(|(name, process)| (name, process.memory))
            .collect(),
    })
}

/// Waits until nothing is under way.
///
/// # Errors
/// Something still is after so long.
pub(crate) async fn quiet(bench: &Bench, patience: Duration) -> anyhow::Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        let backlog = Backlog::look(&bench.site).await?;
        if backlog.total() == 0 && Backlog::look(&bench.site).await?.total() == 0 {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "{} rows of outboxes, {} records of topics and {} calls of the gateway are still under way after {patience:?}",
            backlog.rows,
            backlog.records,
            backlog.calls
        );
        sleep(Duration::from_millis(200)).await;
    }
}

/// The backlog by second, without the beginning: from nothing it always grows.
fn settled(samples: &[Sample], length: u64, of: fn(&Backlog) -> i64) -> Vec<(f64, f64)> {
    let begin = length as f64 / 4.0;
    let samples = samples.iter().filter(|sample| sample.at >= begin);
    samples
        .map(|sample| (sample.at, of(&sample.backlog) as f64))
        .collect()
}

fn most(samples: &[Sample], peaks: &BTreeMap<String, Process>) -> BTreeMap<String, f64> {
    let sampled = samples.iter().flat_map(|sample| &sample.memory);
    let sampled = sampled.map(|(name, memory)| (name, *memory));
    let peaks = peaks.iter().map(|(name, process)| (name, process.peak));
    let mut most: BTreeMap<String, f64> = BTreeMap::new();
    for (name, memory) in sampled.chain(peaks) {
        let known = most.entry(name.clone()).or_default();
        *known = known.max(memory);
    }
    most
}

fn span(length: Duration) -> TimeDelta {
    TimeDelta::from_std(length).unwrap_or_default()
}

/// A moment of the wall clock, from what a run counts in.
pub(crate) type Window = (DateTime<Utc>, DateTime<Utc>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_memory_is_the_peak_or_a_sample_of_whoever_was_there_before() {
        let sample = Sample {
            at: 1.0,
            backlog: Backlog::default(),
            memory: BTreeMap::from([("orders".to_owned(), 9.0), ("view".to_owned(), 9.0)]),
        };
        let peak = |peak| Process {
            peak,
            ..Process::default()
        };
        let peaks = BTreeMap::from([
            ("orders".to_owned(), peak(12.0)),
            ("view".to_owned(), peak(4.0)),
        ]);
        let most = most(&[sample], &peaks);
        let expected = [("orders".to_owned(), 12.0), ("view".to_owned(), 9.0)];
        assert_eq!(most, BTreeMap::from(expected));
    }
}
