//! Stops processes so that they certainly go on, whatever becomes of this program.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use native::Process;
use nix::sys::signal::Signal;

/// Has its processes (each a number, and when it started) go on at the end of standard input, which comes when this program
/// lets go of its other end or dies, however it dies. A number that somebody else has by then is left alone; where there is
/// no `/proc` to tell, the number has to do.
const GUARD: &str = r#"
started() { sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; }
read -r _
while [ $# -gt 0 ]; do
    if [ ! -r /proc/self/stat ] || [ "$(started "$1")" = "$2" ]; then kill -CONT "$1"; fi
    shift 2
done 2>/dev/null
"#;

/// Processes that stand still until this is dropped.
#[derive(Debug)]
pub(crate) struct Pause(Vec<Child>);

impl Pause {
    /// Stops a process and those that it has started. (Postgres has one for each connection.)
    ///
    /// # Errors
    /// A guard cannot be started; what was stopped before goes on.
    pub(crate) fn of(process: &Process) -> anyhow::Result<Self> {
        let mut pause = Self::of_one(process)?;
        // It stands still, so these are all that it has.
        pause.stop(&process.children())?;
        Ok(pause)
    }

    /// Stops one process and nobody else.
    ///
    /// # Errors
    /// A guard cannot be started.
    pub(crate) fn of_one(process: &Process) -> anyhow::Result<Self> {
        let mut pause = Self(Vec::new());
        pause.stop(std::slice::from_ref(process))?;
        Ok(pause)
    }

    /// The guard first: nothing is ever stopped that nobody would let go on.
    fn stop(&mut self, processes: &[Process]) -> anyhow::Result<()> {
        if processes.is_empty() {
            return Ok(());
        }
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .args(processes.iter().flat_map(|process| {
                let started = process.started().to_owned();
                [process.pid.to_string(), started]
            }))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            // Ctrl-C must not end it before its work is done.
            .process_group(0)
            .spawn()
            .context("cannot start `sh`")?;
        self.0.push(guard);
        for process in processes {
            process.signal(Signal::SIGSTOP);
        }
        Ok(())
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        for guard in &mut self.0 {
            drop(guard.stdin.take());
        }
        for guard in &mut self.0 {
            // It does its work by itself; a failure to wait for it changes nothing.
            let _ = guard.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `T` while it is stopped.
    fn state(process: &Process) -> String {
        let pid = process.pid.to_string();
        let output = Command::new("ps")
            .args(["-o", "stat=", "-p", &pid])
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()[..1].to_owned()
    }

    #[test]
    fn processes_stand_still_until_the_pause_is_dropped_and_their_children_with_them() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 60 & echo; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        let process = Process::of(child.id().cast_signed()).unwrap();
        let sleeper = process.children().remove(0);

        let pause = Pause::of(&process).unwrap();
        // A signal has been sent when `kill` returns; the kernel stops the process a moment later.
        while state(&process) != "T" || state(&sleeper) != "T" {
            std::thread::yield_now();
        }
        drop(pause);
        while state(&process) == "T" || state(&sleeper) == "T" {
            std::thread::yield_now();
        }
        sleeper.signal(Signal::SIGKILL);
        child.wait().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn whoever_has_the_number_of_a_process_that_is_gone_is_left_alone() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::of(child.id().cast_signed()).unwrap();
        process.signal(Signal::SIGSTOP);
        while state(&process) != "T" {
            std::thread::yield_now();
        }
        let gone = serde_json::json!({ "pid": process.pid, "started": "1" });
        let gone: Process = serde_json::from_value(gone).unwrap();
        drop(Pause::of_one(&gone).unwrap());
        assert_eq!(state(&process), "T");
        drop(Pause::of_one(&process).unwrap());
        while state(&process) == "T" {
            std::thread::yield_now();
        }
        process.signal(Signal::SIGKILL);
        child.wait().unwrap();
    }
}
