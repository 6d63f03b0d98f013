//! One rate on as many instances of everything as the platform under test has: how they share the work, then what becomes of the
//! orders while one of each is killed. Runs with other numbers of instances are kept in the same file, and told in one table.

mod blows;
mod page;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use visitor::client::ORDERS;
use visitor::console::say;
use visitor::platform::Platform;

use crate::bench::Bench;
use crate::costs::processes;
use crate::costs::work::Work;
use crate::load::Offered;
use crate::quantiles::Quantiles;
use crate::run::{self, Order, Run};
use crate::site::Site;
use crate::{Cli, files, rows};
use blows::Blow;

/// How long all processes may take to be ready, and to have their part of the partitions.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long orders arrive before anything is counted, in seconds: a Kafka that was just started compiles itself.
const WARM_UP: u64 = 20;

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Task {
    /// Orders per second
    #[arg(long, default_value_t = 60.0)]
    rate: f64,
    /// Seconds in which orders arrive, with everybody alive, and again while one of each is killed
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u64).range(15..))]
    seconds: u64,
    /// The file of all runs: this one takes the place of an earlier one with as many instances
    #[arg(long)]
    json: Option<PathBuf>,
    /// A file for the tables of all runs as Markdown
    #[arg(long)]
    markdown: Option<PathBuf>,
}

/// Runs with different numbers of instances, the fewest first.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Series {
    runs: Vec<Measured>,
}

/// A run with one number of instances. Times are in milliseconds, unless it says so.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    /// Of each service and of the relay; the gateway is always one.
    instances: usize,
    /// When the run began.
    at: String,
    /// How many processors the machine has.
    processors: usize,
    /// How many processes wanted one of them before the run, on the average of the last minute, in which the platform was started.
    busy: f64,
    /// Percent of all processors that others had in the window with everybody alive.
    others: f64,
    /// Orders per second that were asked for.
    rate: f64,
    /// How long orders arrived, in seconds, each time.
    seconds: u64,
    /// With everybody alive.
    calm: Told,
    /// CPU seconds of the platform for 1,000 lifecycles of that.
    cpu: f64,
    /// The same by process, with gateway and load generator.
    processes: BTreeMap<String, f64>,
    /// What was done by process in the window of that.
    work: BTreeMap<String, Work>,
    /// While one of each was killed; nothing where there is only one.
    killed: Option<Killed>,
    /// What was broken, in words.
    violations: Vec<String>,
}

/// What came of a load.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    /// What its clients saw.
    offered: Offered,
    /// Lifecycles per second that completed in the window.
    completed: f64,
    /// Those of the whole load.
    completions: u64,
    /// Hops that ended in the window.
    hops: Quantiles,
    /// The longest that no order completed, of all orders and not of those in a dead instance's partitions, in seconds.
    standstill: f64,
    /// From the last arrival until nothing was under way, in seconds.
    drained: f64,
}

/// What came of a load in which processes were killed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Killed {
    told: Told,
    blows: Vec<Blow>,
}

/// Runs it, tells it with those that were run before, and says whether nothing was broken.
///
/// # Errors
/// It cannot be run, or its results cannot be written.
pub(crate) async fn perform(cli: &Cli, task: &Task) -> anyhow::Result<bool> {
    let began = ambient::now().to_rfc3339();
    let busy = processes::busy();
    let platform = Platform::open(&cli.platform_dir)?;
    platform.all_ready(PATIENCE).await?;
    platform.all_at_work(PATIENCE).await?;
    let mut series = Series::read(task)?;
    let mut measured = Measured {
        instances: platform.instances(ORDERS).len(),
        at: began.clone(),
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        busy,
        rate: task.rate,
        seconds: task.seconds,
        ..Measured::default()
    };
    let bench = Bench::begin(Site::open(platform).await?, cli.plan(), cli.seed).await?;
    if let Err(error) = measured.load(&bench).await {
        // What was measured before is told all the same.
        measured.violations.push(format!("{error:#}"));
    }
    let (_, broken) = bench.audit(cli.operator.as_ref(), &began).await;
    measured.violations.extend(broken);
    let unbroken = measured.violations.is_empty();
    series.take(measured);
    page::print(&series);
    series.write(task)?;
    Ok(unbroken)
}

impl Measured {
    /// Both loads.
    async fn load(&mut self, bench: &Bench) -> anyhow::Result<()> {
        let order = |name, length| Order {
            name,
            rate: self.rate,
            length,
            every: Duration::from_secs(1),
            hops: true,
        };
        let (platform, seconds) = (&bench.site.platform, self.seconds);
        say(format_args!("{} of each", self.instances));
        run::perform(bench, order("warming up", WARM_UP)).await?;
        let run = run::perform(bench, order("all alive", seconds)).await?;
        self.calm = Told::of(&run);
        (_, self.cpu) = rows::cpu(&run);
        let processes = run.bill.cpu.iter();
        self.processes = processes
            .map(|(name, cpu)| (name.clone(), run.each(*cpu) * 1e3))
            .collect();
        self.work.clone_from(&run.bill.work);
        self.others = run.bill.others;
        self.violations.extend(self.calm.broken());
        let victims = blows::victims(platform, &self.work);
        if victims.is_empty() {
            return Ok(());
        }
        let strike = blows::strike(platform, &victims, Duration::from_secs(seconds));
        let (run, mut blows) = tokio::join!(
            run::perform(bench, order("one by one killed", seconds)),
            strike
        );
        let run = run?;
        blows::judge(&mut blows, &run.ends);
        platform.all_ready(PATIENCE).await?;
        let told = Told::of(&run);
        self.violations.extend(told.broken());
        self.violations
            .extend(blows.iter().filter_map(Blow::broken));
        self.killed = Some(Killed { told, blows });
        Ok(())
    }
}

impl Told {
    fn of(run: &Run) -> Self {
        let hops = run.hops.as_ref().map(|hops| hops.all);
        let standstill = run.ends.span().map(|span| run.ends.standstill(span));
        Self {
            offered: run.offered.clone(),
            completed: run.completed,
            completions: run.completions,
            hops: hops.unwrap_or_default(),
            standstill: standstill.unwrap_or_default().as_secs_f64(),
            drained: run.drained,
        }
    }

    /// Whether an order was taken that did not complete.
    fn broken(&self) -> Option<String> {
        let (taken, completed) = (self.offered.taken(), self.completions);
        let what = || format!("{taken} orders were taken, and {completed} have completed");
        (completed < taken).then(what)
    }
}

impl Series {
    /// What was run before.
    fn read(task: &Task) -> anyhow::Result<Self> {
        let Some(path) = task.json.as_ref().filter(|path| path.exists()) else {
            return Ok(Self::default());
        };
        let text = std::fs::read_to_string(path)?;
        let series: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} holds no runs of `scale`", path.display()))?;
        for run in &series.runs {
            ensure!(
                (run.rate - task.rate).abs() < 1e-9 && run.seconds == task.seconds,
                "{} holds runs at another rate, or of another length: they cannot be compared",
                path.display()
            );
        }
        Ok(series)
    }

    /// Takes a run in the place of an earlier one with as many instances.
    fn take(&mut self, run: Measured) {
        self.runs.retain(|other| other.instances != run.instances);
        self.runs.push(run);
        self.runs.sort_by_key(|run| run.instances);
    }

    fn write(&self, task: &Task) -> anyhow::Result<()> {
        if let Some(path) = &task.json {
            files::put(path, &serde_json::to_string_pretty(self)?)?;
        }
        if let Some(path) = &task.markdown {
            files::put(path, &page::markdown(self))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(instances: usize, at: &str) -> Measured {
        Measured {
            instances,
            at: at.to_owned(),
            ..Measured::default()
        }
    }

    #[test]
    fn a_run_takes_the_place_of_one_with_as_many_instances() {
        let mut series = Series::default();
        for (instances, at) in [(3, "first"), (1, "first"), (3, "second")] {
            series.take(run(instances, at));
        }
        let kept: Vec<_> = series
            .runs
            .iter()
            .map(|run| (run.instances, &*run.at))
            .collect();
        assert_eq!(kept, [(1, "first"), (3, "second")]);
    }

    #[test]
    fn an_order_that_was_taken_and_did_not_complete_is_a_promise_broken() {
        let offered = Offered {
            answers: BTreeMap::from([(201, 7), (503, 2)]),
            ..Offered::default()
        };
        let mut told = Told {
            offered,
            completions: 7,
            ..Told::default()
        };
        assert_eq!(told.broken(), None);
        told.completions = 6;
        assert!(told.broken().is_some());
    }
}
