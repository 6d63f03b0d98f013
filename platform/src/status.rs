//! Tells what runs.

use std::process::ExitCode;

use futures_util::future::join_all;

use crate::console;
use crate::daemon;
use crate::layout::Layout;
use crate::ready::Prober;
use crate::run::{self, Record};
use crate::spec::Spec;

/// What a service manager's `status` exits with when something does not run.
const NOT_RUNNING: u8 = 3;

/// Prints the supervisor and one line per process that must run.
pub(crate) async fn run(layout: &Layout) -> anyhow::Result<ExitCode> {
    let Some(supervisor) = daemon::find(layout)? else {
        console::say("not running: `make run` starts the platform");
        for record in run::all(layout)?.iter().filter(|record| record.alive()) {
            console::say(format_args!(
                "  left running without a supervisor: {} ({})",
                record.spec.name, record.process.pid
            ));
        }
        return Ok(ExitCode::from(NOT_RUNNING));
    };
    let specs = daemon::desired(layout)?;
    let prober = Prober::new()?;
    let ready = join_all(specs.iter().map(|spec| prober.ready(spec))).await;
    let pid = supervisor.process.pid;
    console::say(format_args!(
        "{:<22} {:>7} {:>6}  {:<9} {:>8} {:>9}",
        "NAME", "PID", "PORT", "STATE", "MEMORY", "RESTARTS"
    ));
    console::say(format_args!(
        "{:<22} {pid:>7} {:>6}  {:<9} {:>8}",
        "supervisor",
        "",
        "running",
        memory(pid)
    ));
    for (spec, ready) in specs.iter().zip(&ready) {
        console::say(line(spec, run::find(layout, &spec.name)?.as_ref(), *ready));
    }
    Ok(if ready.into_iter().all(|ready| ready) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_RUNNING)
    })
}

fn line(spec: &Spec, record: Option<&Record>, ready: bool) -> String {
    let alive = record.filter(|record| record.alive());
    let state = match alive {
        Some(_) if ready => "ready",
        Some(_) => "not ready",
        None => "dead",
    };
    let pid = alive.map_or_else(String::new, |record| record.process.pid.to_string());
    let memory = alive.map_or_else(String::new, |record| memory(record.process.pid));
    let restarts = record.map_or(0, |record| record.restarts);
    format!(
        "{:<22} {pid:>7} {:>6}  {state:<9} {memory:>8} {restarts:>9}",
        spec.name, spec.port
    )
}

/// Resident memory where the kernel tells it (Linux), otherwise nothing.
fn memory(pid: i32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .trim()
            .split(' ')
            .next()?
            .parse()
            .ok()
    });
    kilobytes.map_or_else(String::new, |kilobytes: u64| {
        format!("{} MiB", kilobytes / 1024)
    })
}
