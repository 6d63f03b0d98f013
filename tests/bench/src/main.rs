//! Measures the platform against the limits of the machine that it runs on, in one run: see docs/benchmarks.md.

mod backlog;
mod bench;
mod calibrate;
mod completions;
mod costs;
mod doubts;
mod files;
mod hops;
mod idle;
mod load;
mod metrics;
mod million;
mod plan;
mod plots;
mod print;
mod quantiles;
mod results;
mod rows;
mod run;
mod scale;
mod shortfall;
mod site;
mod toolkit;
mod top;
mod topics;
mod trend;
mod unloaded;
mod verdict;
mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, ValueEnum as _};
use visitor::console::{complain, say};
use visitor::platform::Platform;
use visitor::{interrupted, program};

use crate::bench::Bench;
use crate::costs::processes;
use crate::plan::{Part, Plan, seconds};
use crate::results::Results;
use crate::run::Order;
use crate::site::Site;

/// Measures a running platform against the limits of the machine, all in one run.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 it was measured (whatever the verdicts), 1 it could not be or the audit found something, 130 interrupted."
)]
struct Cli {
    /// Only these parts; calibration is always run, and what needs the top looks for it first
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Everything shorter, in about twelve minutes in all
    #[arg(long)]
    quick: bool,
    /// Seconds in which nothing happens [default: 30]
    #[arg(long)]
    idle: Option<u64>,
    /// Seconds of each rate that is tried in looking for the top [default: 20]
    #[arg(long)]
    step: Option<u64>,
    /// Seconds at the top [default: 60]
    #[arg(long)]
    top: Option<u64>,
    /// Seconds at 30 % of it [default: 60]
    #[arg(long)]
    calm: Option<u64>,
    /// Seconds of overload [default: 300]
    #[arg(long)]
    overload: Option<u64>,
    /// Seconds of 70 % of the top, for the backlog [default: 1800]
    #[arg(long)]
    backlog: Option<u64>,
    /// Orders to time one by one [default: 300]
    #[arg(long)]
    unloaded: Option<u64>,
    /// Finished orders to put into the tables [default: 1000000]
    #[arg(long)]
    finished: Option<u64>,
    /// Rows for the relay to drain [default: 1000000]
    #[arg(long)]
    rows: Option<u64>,
    /// Lifecycles per second to take for the top instead of looking for it
    #[arg(long)]
    rate: Option<f64>,
    /// Decides arrivals and orders
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Tell the most frequent statements, too
    #[arg(long)]
    verbose: bool,
    /// A file for everything that was measured
    #[arg(long)]
    json: Option<PathBuf>,
    /// A file for the tables as Markdown
    #[arg(long)]
    markdown: Option<PathBuf>,
    /// A folder for plots
    #[arg(long)]
    svg: Option<PathBuf>,
    /// The folder of the platform
    #[arg(long, env = "PLATFORM_DIR", default_value = ".platform")]
    platform_dir: PathBuf,
    /// The operator's program, whose audit has the last word; the one beside this program when it is not given
    #[arg(long, env = "OPERATOR")]
    operator: Option<PathBuf>,
    /// The relay's program, which is measured alone; the one beside this program when it is not given
    #[arg(long, env = "RELAY")]
    relay: Option<PathBuf>,
    #[command(subcommand)]
    other: Option<Other>,
}

/// What this program does besides.
#[derive(Debug, clap::Subcommand)]
enum Other {
    /// One rate on as many instances as there are, then again while one of each is killed: `make scale`
    Scale(scale::Task),
    /// A process that this program starts of itself to measure it: consumes messages in batches, and says how long that took
    #[command(hide = true)]
    Consume(toolkit::consumer::Task),
}

impl Cli {
    fn plan(&self) -> Plan {
        let plan = if self.quick { Plan::QUICK } else { Plan::FULL };
        Plan {
            idle: self.idle.unwrap_or(plan.idle),
            step: self.step.unwrap_or(plan.step),
            top: self.top.unwrap_or(plan.top),
            calm: self.calm.unwrap_or(plan.calm),
            overload: self.overload.unwrap_or(plan.overload),
            backlog: self.backlog.unwrap_or(plan.backlog),
            unloaded: self.unloaded.unwrap_or(plan.unloaded),
            finished: self.finished.unwrap_or(plan.finished),
            rows: self.rows.unwrap_or(plan.rows),
            ..plan
        }
    }

    /// What is less than it is asked for, in words.
    fn shortened(&self) -> Vec<String> {
        let mut shortened = self.plan().shortened(|part| self.runs(part));
        let given = self.rate.filter(|_| self.runs(Part::Top));
        shortened
            .extend(given.map(|rate| format!("the top was not looked for: {rate}/s was given")));
        shortened
    }

    /// Whether a part is run. What is compared with the top needs it.
    fn runs(&self, part: Part) -> bool {
        let only: BTreeSet<Part> = self.only.iter().copied().collect();
        let needs_top = [Part::Calm, Part::Overload, Part::Million, Part::Backlog];
        only.is_empty()
            || only.contains(&part)
            || part == Part::Calibrate
            || (part == Part::Top && needs_top.iter().any(|part| only.contains(part)))
    }
}

/// Calibration wants two threads: sixteen clients on one would measure the thread.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    tokio::select! {
        done = perform(&cli) => match done {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                complain(format_args!("{error:#}"));
                ExitCode::FAILURE
            }
        },
        () = interrupted() => {
            complain("interrupted: nothing was told and nothing audited");
            ExitCode::from(130)
        }
    }
}

/// Says whether nothing was broken.
async fn perform(cli: &Cli) -> anyhow::Result<bool> {
    match &cli.other {
        Some(Other::Consume(task)) => toolkit::consumer::consume(task).await.map(|()| true),
        Some(Other::Scale(task)) => scale::perform(cli, task).await,
        None => measure(cli).await,
    }
}

/// All parts that are asked for.
async fn measure(cli: &Cli) -> anyhow::Result<bool> {
    let began = ambient::now();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let busy = processes::busy();
    let platform = Platform::open(&cli.platform_dir)?;
    platform.all_ready(Duration::from_secs(120)).await?;
    let site = Site::open(platform.clone()).await?;
    let plan = cli.plan();
    let mut results = Results {
        at: began.to_rfc3339(),
        plan: Some(plan),
        shortened: cli.shortened(),
        processors,
        busy,
        ..Results::default()
    };
    if cli.runs(Part::Idle) {
        say(format_args!("idle for {} s", plan.idle));
        results.idle = Some(idle::measure(&site, &plan).await);
    }
    say(format_args!("warming Kafka up for {} s", plan.warm));
    calibrate::warm_up(&site, &plan).await?;
    say("calibrating: disk, Postgres and Kafka alone");
    results.calibration = Some(calibrate::measure(&site, &plan).await?);
    let bench = Bench::begin(site, plan, cli.seed).await?;
    if let Err(error) = load(cli, &bench, &mut results).await {
        // What was measured before is told all the same.
        results.violations.push(format!("it broke off: {error:#}"));
        let reached = results.reached();
        let missing = |part: &Part| cli.runs(*part) && !reached.contains(part);
        results.broken_off = Part::value_variants()
            .iter()
            .copied()
            .filter(missing)
            .collect();
    }
    let (audit, broken) = bench.audit(cli.operator.as_ref(), &results.at).await;
    results.audit = audit;
    results.violations.extend(broken);
    if cli.only != [Part::Calibrate] {
        say("calibrating again: the machine should be as it was");
        match calibrate::measure(&bench.site, &plan).await {
            Ok(calibration) => results.calibration_after = Some(calibration),
            Err(error) => results.violations.push(format!("{error:#}")),
        }
    }
    results.table = rows::rows(&results);
    results.doubts = doubts::doubts(&results);
    print::print(&results, cli.verbose);
    write(cli, &results)?;
    Ok(results.violations.is_empty())
}

/// The parts that put load on the platform.
async fn load(cli: &Cli, bench: &Bench, results: &mut Results) -> anyhow::Result<()> {
    if cli.runs(Part::Toolkit) {
        let relay = program(cli.relay.as_ref(), "message-relay")?;
        results.toolkit = Some(toolkit::measure(bench, &relay).await?);
    }
    if cli.runs(Part::Unloaded) {
        results.unloaded = Some(unloaded::measure(bench).await?);
    }
    if cli.runs(Part::Top) {
        results.top = Some(top::find(bench, cli.rate).await?);
    }
    let Some(top) = results.top.as_ref().map(|top| top.run.rate) else {
        return Ok(());
    };
    if cli.runs(Part::Calm) {
        let run = top::hold(bench, "30 % of the top", 0.3 * top, bench.plan.calm).await?;
        results.calm = Some(run);
    }
    if cli.runs(Part::Overload) {
        let order = Order {
            name: "overload",
            rate: 2.0 * top,
            length: bench.plan.overload,
            every: Duration::from_secs(2),
            hops: false,
        };
        results.overload = Some(run::perform(bench, order).await?);
    }
    if cli.runs(Part::Million) {
        results.million = Some(million::measure(bench, top).await?);
    }
    if cli.runs(Part::Backlog) {
        let order = Order {
            name: "70 % of the top",
            rate: 0.7 * top,
            length: bench.plan.backlog,
            every: seconds((bench.plan.backlog / 30).clamp(2, 10)),
            hops: false,
        };
        results.backlog = Some(run::perform(bench, order).await?);
    }
    Ok(())
}

fn write(cli: &Cli, results: &Results) -> anyhow::Result<()> {
    if let Some(path) = &cli.json {
        files::put(path, &serde_json::to_string_pretty(results)?)?;
    }
    if let Some(path) = &cli.markdown {
        files::put(path, &print::markdown(results))?;
    }
    if let Some(folder) = &cli.svg {
        plots::draw(results, folder)
            .with_context(|| format!("cannot draw into {}", folder.display()))?;
    }
    Ok(())
}
