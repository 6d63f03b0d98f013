#![doc = include_str!("../README.md")]

mod faults;
mod intention;
mod ledger;
mod load;
mod pause;
mod promises;
mod pulse;
mod reading;
mod recovery;
mod report;
mod schedule;
mod storm;
mod story;
mod topics;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use contracts::Machine;
use tokio::time::{Instant, sleep};
use visitor::auditor;
use visitor::client::Client;
use visitor::console::{complain, say};
use visitor::platform::Platform;
use visitor::violation::Violation;
use visitor::{interrupted, program};

use crate::faults::Deeds;
use crate::load::Load;
use crate::pulse::Pulse;
use crate::report::Report;
use crate::world::World;

/// Load, kills, pauses and restarts on a running platform; then heals, waits, and says what was broken.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 no violation; 1 violations, or it could not be done; 130 interrupted."
)]
struct Cli {
    /// How long processes are killed, paused and restarted; 0: not at all
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Decides faults and orders; the same seed is the same schedule. Random when it is not given
    #[arg(long)]
    seed: Option<u64>,
    /// Orders per second
    #[arg(long, default_value_t = 5.0)]
    rate: f64,
    /// How often each kind of kill is measured before that; 0: not at all
    #[arg(long, default_value_t = 3)]
    recoveries: u32,
    /// Measures only those kinds of kill whose name in the table has this in it
    #[arg(long, default_value = "")]
    only: String,
    /// Milliseconds between two orders that probe a recovery
    #[arg(long, default_value_t = 100)]
    probe_every: u64,
    /// A file for everything that was done and found
    #[arg(long)]
    json: Option<PathBuf>,
    /// The folder of the platform
    #[arg(long, env = "PLATFORM_DIR", default_value = ".platform")]
    platform_dir: PathBuf,
    /// The operator's program, whose audit has the last word; the one beside this program when it is not given
    #[arg(long, env = "OPERATOR")]
    operator: Option<PathBuf>,
    /// The program that reads the topics; the one beside this program when it is not given
    #[arg(long, env = "PROBE")]
    probe: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // Whatever stands still when this ends, goes on: see `pause`.
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
            complain("interrupted: nothing was audited");
            ExitCode::from(130)
        }
    }
}

/// Says whether no promise was broken.
async fn perform(cli: &Cli) -> anyhow::Result<bool> {
    anyhow::ensure!(cli.rate > 0.0, "--rate must be above 0");
    let seed = cli.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let again = format!(
        "make chaos SECONDS={} SEED={seed} RATE={}",
        cli.seconds, cli.rate
    );
    say(format_args!("seed {seed}; the same faults again: {again}"));

    let platform = Platform::open(&cli.platform_dir)?;
    platform.all_ready(Duration::from_secs(120)).await?;
    let client = Client::new(&platform)?;
    let world = World::make(&client, &format!("chaos-{seed}-{}", std::process::id())).await?;
    let mut report = Report {
        seed,
        seconds: cli.seconds,
        rate: cli.rate,
        again,
        ..Report::default()
    };
    if cli.recoveries > 0 {
        let settings = recovery::Settings {
            rounds: cli.recoveries,
            every: Duration::from_millis(cli.probe_every),
            only: &cli.only,
        };
        report.recovery =
            recovery::measure(&platform, &client, &world, settings, |next| say(next)).await?;
    }
    let begun = ambient::now().timestamp_millis();
    let load = Arc::new(Load {
        client: client.clone(),
        // Of its own: what is listed of it is what its clients were promised.
        world: World::make(&client, &format!("{}-storm", world.name)).await?,
        seed,
        pulse: Arc::new(Pulse::begin()),
        stories: Mutex::default(),
    });
    if cli.seconds > 0 {
        rage(&platform, &load, cli, &mut report).await;
    }
    finish_probes(&client).await;
    say("the audit waits for quiet, and looks at everything");
    match auditor::audit(
        &program(cli.operator.as_ref(), "operator")?,
        &platform,
        None,
    )
    .await
    {
        Ok(finding) => {
            report.violations.extend(finding.violations);
            report.audit = finding.printed;
        }
        // What was seen before is told all the same.
        Err(error) => report
            .violations
            .push(Violation::general(format!("there was no audit: {error:#}"))),
    }
    let probe = program(cli.probe.as_ref(), "probe")?;
    let (records, broken) = topics::judge(&probe, &platform, begun, &load.ids()).await?;
    report.violations.extend(broken);
    report.records = records;
    (report.requests, report.retries) = (client.tally().requests(), client.tally().retries());
    report.print();
    if let Some(path) = &cli.json {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report.violations.is_empty())
}

/// The chaos, and whether what clients were promised is kept afterwards.
async fn rage(platform: &Platform, load: &Arc<Load>, cli: &Cli, report: &mut Report) {
    let deeds = Deeds::default();
    let length = Duration::from_secs(cli.seconds);
    let aftermath = storm::storm(platform, load, cli.rate, length, &deeds).await;
    report.faults = deeds.all();
    report.standstill = aftermath.standstill.as_secs_f64();
    report.ready_after = aftermath.ready_after.as_secs_f64();
    report.ended_after = aftermath.ended_after.as_secs_f64();
    report.violations = aftermath.violations;
    if report.faults.iter().all(|fault| !fault.hit) {
        let what = "no fault has hit anybody: nothing was tried".to_owned();
        report.violations.push(Violation::general(what));
    }
    for story in load.stories() {
        let state = story.account().reading.state();
        let end = state.map_or("never shown", Machine::word);
        *report.ends.entry(end.to_owned()).or_default() += 1;
        report.orders += 1;
    }
    if report.orders == 0 {
        let what = "no order was placed: nothing was tried".to_owned();
        report.violations.push(Violation::general(what));
    }
    say("every client asks again for what it was promised");
    report.violations.extend(promises::judge(load).await);
}

/// Orders that probed recoveries wait for cook and courier: those do what is due until nothing is.
async fn finish_probes(client: &Client) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut quiet = 0;
    while quiet < 5 && Instant::now() < deadline {
        quiet = if recovery::work_off(client).await {
            0
        } else {
            quiet + 1
        };
        sleep(Duration::from_millis(200)).await;
    }
}
