//! CPU time and memory of processes, as the kernel counts them. Linux only: elsewhere everything is zero.

use std::collections::BTreeMap;

use serde::Serialize;
use visitor::platform::Platform;

/// The kernel's ticks in a second: 100 on every Linux that there is.
const TICKS: f64 = 100.0;
/// The names under which things are told that are no service.
pub(crate) const POSTGRES: &str = "postgres";
pub(crate) const KAFKA: &str = "kafka";
pub(crate) const GATEWAY: &str = "gateway-simulator";
pub(crate) const SUPERVISOR: &str = "supervisor";
/// This very process.
pub(crate) const BENCH: &str = "bench";

/// What a process has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Process {
    /// CPU seconds since it began; of Postgres with all its children, of this process with those that have ended.
    pub(crate) cpu: f64,
    /// MiB that it has now; of Postgres: its own and its children's, what they share counted once.
    pub(crate) memory: f64,
    /// MiB that it had at most.
    pub(crate) peak: f64,
}

/// Whether a process is one of the platform's services: neither server, nor gateway, nor this one.
pub(crate) fn is_service(name: &str) -> bool {
    ![POSTGRES, KAFKA, GATEWAY, SUPERVISOR, BENCH].contains(&name)
}

/// All processes of a platform, its supervisor, and this one.
pub(crate) fn look(platform: &Platform) -> BTreeMap<String, Process> {
    let mut found = BTreeMap::new();
    for member in &platform.members {
        if let Some(process) = platform.process(&member.name) {
            let children = process.children();
            let children: Vec<i32> = children.iter().map(|child| child.pid).collect();
            found.insert(member.name.clone(), family(process.pid, &children));
        }
    }
    if let Ok(supervisor) = platform.supervisor() {
        found.insert(SUPERVISOR.to_owned(), one(supervisor.pid));
    }
    let own = std::process::id().cast_signed();
    let ended = Process {
        cpu: cpu(&file(own, "stat"), true),
        ..one(own)
    };
    found.insert(BENCH.to_owned(), ended);
    found
}

/// CPU seconds of Postgres' backends by the database that they serve, since each began; those that have ended are in no database.
pub(crate) fn backends(platform: &Platform) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for child in platform
        .process(POSTGRES)
        .iter()
        .flat_map(native::Process::children)
    {
        if let Some(database) = database(&file(child.pid, "cmdline")) {
            *found.entry(database.to_owned()).or_default() += cpu(&file(child.pid, "stat"), false);
        }
    }
    found
}

/// Postgres tells in a backend's title whom it serves: `postgres: role database host(port) doing`.
fn database(title: &str) -> Option<&str> {
    let mut words = title.split_whitespace();
    let host = words.clone().nth(3)?;
    (words.next()? == "postgres:" && host.ends_with(')')).then(|| words.nth(1))?
}

/// How many processes want a processor, on the average of the last minute.
pub(crate) fn busy() -> f64 {
    let told = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = told.split_whitespace().next();
    first.and_then(|number| number.parse().ok()).unwrap_or(0.0)
}

/// How many processors the machine has, and for how many seconds they have done nothing, together, since it began. (What they have
/// done is counted by ticks, which miss half of what is short; idling is not.)
pub(crate) fn idled() -> (usize, f64) {
    idle(&std::fs::read_to_string("/proc/stat").unwrap_or_default())
}

/// The first line has all processors together: user, nice, system, idle, iowait, …; then each has a line.
fn idle(stat: &str) -> (usize, f64) {
    let mut lines = stat.lines().take_while(|line| line.starts_with("cpu"));
    let all = lines.next().unwrap_or_default().split_whitespace();
    let ticks = all.skip(4).take(2).map(str::parse::<f64>);
    let idle: f64 = ticks.map(Result::unwrap_or_default).sum();
    (lines.count(), idle / TICKS)
}

/// One process by its number; nothing of what it has started.
pub(crate) fn one(pid: i32) -> Process {
    let status = file(pid, "status");
    Process {
        cpu: cpu(&file(pid, "stat"), false),
        memory: mebibytes(&status, "VmRSS:"),
        peak: mebibytes(&status, "VmHWM:"),
    }
}

/// A process and those that it has started.
fn family(pid: i32, children: &[i32]) -> Process {
    let own = one(pid);
    if children.is_empty() {
        return own;
    }
    let mut all = Process {
        cpu: cpu(&file(pid, "stat"), true),
        ..own
    };
    let mut shared = mebibytes(&file(pid, "status"), "RssShmem:");
    all.memory -= shared;
    for child in children {
        let status = file(*child, "status");
        all.cpu += cpu(&file(*child, "stat"), true);
        all.memory += mebibytes(&status, "RssAnon:");
        shared = shared.max(mebibytes(&status, "RssShmem:"));
    }
    all.memory += shared;
    all.peak = all.memory;
    all
}

/// Forgets the peaks of memory so far, where the kernel allows it.
pub(crate) fn forget_peaks(platform: &Platform) {
    let members = platform.members.iter();
    let members = members.filter_map(|member| platform.process(&member.name));
    let all = members.map(|process| process.pid.cast_unsigned());
    all.chain([std::process::id()]).for_each(forget_peak);
}

/// Sets back what the kernel knows as the most memory of a process. Where that is not allowed, it stays that since the start.
pub(crate) fn forget_peak(pid: u32) {
    let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

fn file(pid: i32, name: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default()
}

/// CPU seconds from `/proc/…/stat`, with those of children that have ended and were waited for, or without.
fn cpu(stat: &str, ended: bool) -> f64 {
    // The name in parentheses may hold anything; behind it come: state (0), …, utime (11), stime, cutime, cstime.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let count = if ended { 4 } else { 2 };
    let ticks = fields
        .split_whitespace()
        .skip(11)
        .take(count)
        .map(|field| field.parse::<f64>().unwrap_or_default());
    ticks.sum::<f64>() / TICKS
}

fn mebibytes(status: &str, field: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.unwrap_or_default().trim().trim_end_matches(" kB");
    number.parse::<f64>().unwrap_or_default() / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_read_behind_whatever_the_process_is_called() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 30 70 20 0 1 0 9 9 9";
        assert!((cpu(stat, false) - 2.0).abs() < 1e-9);
        assert!((cpu(stat, true) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_machine_idles_on_all_its_processors() {
        let stat = "cpu  100 20 30 5000 700 11 13 50 9 9\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 9\n";
        assert_eq!(idle(stat), (2, 57.0));
        assert_eq!(idle(""), (0, 0.0));
    }

    #[test]
    fn a_backend_tells_which_database_it_serves() {
        let backend = "postgres: order orders 127.0.0.1(51234) idle in transaction";
        assert_eq!(database(backend), Some("orders"));
        assert_eq!(database("postgres: checkpointer "), None);
        assert_eq!(database("postgres: autovacuum worker orders"), None);
    }

    #[test]
    fn memory_is_told_in_mebibytes() {
        let status = "Name:\tx\nVmHWM:\t    4096 kB\nVmRSS:\t    2048 kB\n";
        assert!((mebibytes(status, "VmRSS:") - 2.0).abs() < 1e-9);
        assert!((mebibytes(status, "VmHWM:") - 4.0).abs() < 1e-9);
        assert!(mebibytes(status, "RssAnon:").abs() < 1e-9);
    }
}
