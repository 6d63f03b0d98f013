//! A process named so that it cannot be mistaken: its number and when it started.

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A process of this machine, alive or not. Numbers are used again; numbers with their time are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    started: String,
}

impl Process {
    /// The living process with this number. One that is dead and only not yet reaped is none.
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        let started = started(pid)?;
        Some(Self { pid, started })
    }

    /// This very process.
    #[must_use]
    pub fn own() -> Option<Self> {
        Self::of(std::process::id().cast_signed())
    }

    /// When it started, in words that are only good for being compared: on Linux the kernel's ticks since boot.
    #[must_use]
    pub fn started(&self) -> &str {
        &self.started
    }

    /// Whether it has not ended yet.
    #[must_use]
    pub fn alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// The processes that it has started itself and that live. (A pause of Postgres must stop them all: they answer
    /// without the one that listens.)
    #[must_use]
    pub fn children(&self) -> Vec<Self> {
        if !self.alive() {
            return Vec::new();
        }
        let numbers = children(self.pid).unwrap_or_default();
        numbers
            .split_whitespace()
            .filter_map(|pid| Self::of(pid.parse().ok()?))
            .collect()
    }

    /// Sends a signal, unless the process has gone.
    pub fn signal(&self, signal: Signal) {
        if self.alive() {
            // It can still go in between; then there is nothing left to do.
            let _ = signal::kill(Pid::from_raw(self.pid), signal);
        }
    }
}

/// When the process started, in the kernel's ticks since boot.
#[cfg(target_os = "linux")]
fn started(pid: i32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; fields count from behind it: state, …, start.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let start = fields.nth(18)?;
    (!matches!(state, "Z" | "X")).then(|| start.to_owned())
}

/// The numbers of a process' children, separated by spaces or lines.
#[cfg(target_os = "linux")]
fn children(pid: i32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()
}

/// The numbers of a process' children, separated by spaces or lines.
#[cfg(not(target_os = "linux"))]
fn children(pid: i32) -> Option<String> {
    let output = std::process::Command::new("pgrep")
        .args(["-P", &pid.to_string()])
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()
}

/// When the process started, as `ps` tells it.
#[cfg(not(target_os = "linux"))]
fn started(pid: i32) -> Option<String> {
    let output = std::process::Command::new("ps")
        .args(["-o", "stat=,lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (state, start) = line.split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| start.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_alive_until_it_is_killed_even_unreaped() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let process = Process::of(child.id().cast_signed()).unwrap();
        assert!(process.alive());
        process.signal(Signal::SIGKILL);
        while process.alive() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }

    #[test]
    fn a_process_knows_its_children() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "sleep 60 & echo; wait"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        let process = Process::of(child.id().cast_signed()).unwrap();
        let children = process.children();
        assert_eq!(children.len(), 1, "{children:?}");
        process.signal(Signal::SIGKILL);
        children[0].signal(Signal::SIGKILL);
        child.wait().unwrap();
        assert_eq!(process.children(), []);
    }

    #[test]
    fn a_number_that_was_used_again_is_another_process() {
        let own = Process::own().unwrap();
        let earlier = Process {
            started: "1".to_owned(),
            ..own
        };
        assert!(!earlier.alive());
    }
}
