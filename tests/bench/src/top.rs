//! The highest rate of whole lifecycles that the platform keeps up with.
//!
//! The rate is raised until it does not keep up, then halved in on; then the highest one that it kept up with is held for
//! long. Where that does not last, a little less is tried: what counts is what was held.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use visitor::console::say;

use crate::bench::Bench;
use crate::run::{self, CALLS, Order, ROWS, Run};
use crate::shortfall::shortfall;

/// The first rate that is tried, per second.
const FIRST: f64 = 60.0;
/// What the rate is multiplied with as long as it is kept up.
const FASTER: f64 = 1.5;
/// What it is multiplied with when what was kept up for a moment was not for long.
const SLOWER: f64 = 0.93;
/// How often that is done.
const RETREATS: u32 = 3;
/// No rate above this is tried: the generator shares the machine.
const MOST: f64 = 3_000.0;
/// A backlog of more than what comes in so many seconds is not noise. Offsets are stored once a second, so consumers
/// always seem about that far behind.
const SECONDS_BEHIND: f64 = 3.0;
/// The same of rows and calls alone, which are counted where they are.
const SECONDS_WAITING: f64 = 1.0;
/// Records that consumers have to read for each order: those of the view, and those of everybody else.
const RECORDS: f64 = 75.0;

/// The top, and the way there.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Top {
    /// The rates that were tried for a moment, in their order; then those that were held for long, and did not last.
    pub(crate) steps: Vec<Step>,
    /// The run that held; or the last that was tried, and did not.
    pub(crate) run: Run,
    /// Why that did not count, in words. Nothing: it was held, and nobody was turned away or let down.
    pub(crate) wrong: Option<String>,
}

/// A rate that was tried.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Step {
    /// Orders per second that were asked for.
    pub(crate) rate: f64,
    /// Lifecycles per second that completed.
    pub(crate) completed: f64,
    /// Whether that was enough.
    pub(crate) kept: bool,
    /// The most memory of each process, in MiB.
    pub(crate) memory: BTreeMap<String, f64>,
    /// Percent of all processors that others had.
    pub(crate) others: f64,
}

/// Why a run did not keep up with what was offered, in words. Nothing: it did.
pub(crate) fn wrong(run: &Run) -> Option<String> {
    let offered = run.offered.arrivals as f64 / run.length as f64;
    let piled_up = || {
        let behind = run.samples.last()?.backlog;
        // Rows and calls are judged alone as well: there are many more records.
        let all = SECONDS_BEHIND * RECORDS;
        let (rows, calls) = (SECONDS_WAITING * ROWS, SECONDS_WAITING * CALLS);
        let kinds = [
            (&run.backlog, behind.total(), all, ""),
            (&run.backlog_rows, behind.rows, rows, " of rows"),
            (&run.backlog_calls, behind.calls, calls, " of calls"),
        ];
        let mut piled_up = kinds
            .into_iter()
            .filter(|(trend, count, deep, _)| trend.grows() && *count as f64 > offered * deep);
        let (_, count, _, kind) = piled_up.next()?;
        Some(format!("a backlog{kind} of {count} piled up"))
    };
    shortfall(run).or_else(piled_up)
}

/// Looks for it, unless it is `given`; then holds it.
///
/// # Errors
/// A run cannot be judged.
pub(crate) async fn find(bench: &Bench, given: Option<f64>) -> anyhow::Result<Top> {
    let mut steps = Vec::new();
    let mut rate = match given {
        Some(rate) => rate,
        None => search(bench, &mut steps).await?,
    };
    let mut retreats = RETREATS;
    loop {
        let run = hold(bench, "top", rate, bench.plan.top).await?;
        let wrong = wrong(&run);
        if let Some(wrong) = &wrong {
            say(format_args!(
                "{rate:.0}/s did not last: {:.0}/s completed; {wrong}",
                run.completed
            ));
        }
        if wrong.is_none() || retreats == 0 {
            return Ok(Top { steps, run, wrong });
        }
        steps.push(Step::of(run, false));
        retreats -= 1;
        rate *= SLOWER;
    }
}

/// The highest rate that was kept up for a moment.
async fn search(bench: &Bench, steps: &mut Vec<Step>) -> anyhow::Result<f64> {
    let (mut kept, mut lost) = (None, None);
    let mut rate = FIRST;
    while lost.is_none() && rate <= MOST {
        let step = attempt(bench, rate).await?;
        match step.kept {
            true => kept = Some(rate),
            false => lost = Some(rate),
        }
        steps.push(step);
        rate *= FASTER;
    }
    for _ in 0..bench.plan.bisections {
        let high = lost.unwrap_or(rate);
        // What it never kept up with is halved until it does.
        let middle = kept.map_or(high / 2.0, |low: f64| (low * high).sqrt());
        let step = attempt(bench, middle).await?;
        match step.kept {
            true => kept = Some(middle),
            false => lost = Some(middle),
        }
        steps.push(step);
    }
    kept.or(lost).context("no rate was tried")
}

async fn attempt(bench: &Bench, rate: f64) -> anyhow::Result<Step> {
    let order = Order {
        name: "looking for the top",
        rate,
        length: bench.plan.step,
        every: Duration::from_secs(2),
        hops: false,
    };
    let run = run::perform(bench, order).await?;
    let wrong = wrong(&run);
    say(format_args!(
        "{rate:6.0}/s offered, {:6.0}/s completed, drained in {:.1} s: {}",
        run.completed,
        run.drained,
        wrong.as_deref().unwrap_or("kept up")
    ));
    Ok(Step::of(run, wrong.is_none()))
}

impl Step {
    fn of(run: Run, kept: bool) -> Self {
        Self {
            rate: run.rate,
            completed: run.completed,
            kept,
            memory: run.memory,
            others: run.bill.others,
        }
    }
}

/// A run at a rate for long, with everything that can be told of it.
///
/// # Errors
/// It cannot be judged.
pub(crate) async fn hold(bench: &Bench, name: &str, rate: f64, length: u64) -> anyhow::Result<Run> {
    let order = Order {
        name,
        rate,
        length,
        // Each look costs the platform some 70 ms: it counts rows in seven databases.
        every: Duration::from_secs(5),
        hops: true,
    };
    run::perform(bench, order).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backlog::Backlog;
    use crate::load::Offered;
    use crate::run::Sample;
    use crate::trend::Trend;

    /// A hundred a second for a minute, all completed, and that was under way at last.
    fn run(backlog: Backlog) -> Run {
        let sample = Sample {
            at: 60.0,
            backlog,
            memory: BTreeMap::new(),
        };
        Run {
            length: 60,
            offered: Offered {
                arrivals: 6_000,
                answers: [(201, 6_000)].into(),
                ..Offered::default()
            },
            lifecycles: 6_000,
            expected: 6_000,
            samples: vec![sample],
            ..Run::default()
        }
    }

    const GROWS: Trend = Trend {
        mean: 1_000.0,
        slope: 50.0,
        error: 1.0,
        span: 60.0,
    };

    #[test]
    fn a_backlog_of_all_or_of_rows_that_grows_is_wrong_when_it_is_deep() {
        let (records, rows) = (30_000, 3_000);
        let deep = |rows, records| Run {
            backlog: GROWS,
            backlog_rows: GROWS,
            ..run(Backlog {
                rows,
                records,
                calls: 0,
            })
        };
        assert_eq!(wrong(&deep(0, 20_000)), None);
        let told = |run| wrong(&run).unwrap_or_default();
        assert_eq!(told(deep(0, records)), "a backlog of 30000 piled up");
        assert_eq!(told(deep(rows, 0)), "a backlog of rows of 3000 piled up");
        let stays = run(Backlog {
            rows,
            records,
            calls: 0,
        });
        assert_eq!(wrong(&stays), None);
    }
}
