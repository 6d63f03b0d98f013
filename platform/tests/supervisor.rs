//! The daemon, with processes that do nothing but live.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn what_dies_is_started_again() {
    let room = Room::new("restart");
    room.wants(&["a", "b"]);
    let _daemon = room.supervise();
    let (first, other) = (room.pid_of("a", |_| true), room.pid_of("b", |_| true));
    signal(first, Signal::SIGKILL);
    let second = room.pid_of("a", |pid| pid != first);
    assert!(alive(second));
    assert_eq!(room.pid_of("b", |_| true), other);
}

#[test]
fn a_killed_supervisor_leaves_its_processes_to_the_next_one() {
    let room = Room::new("adopt");
    room.wants(&["a"]);
    let mut daemon = room.supervise();
    let pid = room.pid_of("a", |_| true);
    daemon.kill();
    assert!(alive(pid));

    let _next = room.supervise();
    assert_eq!(room.pid_of("a", |_| true), pid, "it runs on, and once");
    signal(pid, Signal::SIGKILL);
    assert!(
        alive(room.pid_of("a", |new| new != pid)),
        "adopted means kept alive"
    );
}

#[test]
fn what_is_no_longer_wanted_ends_and_the_rest_runs_on() {
    let room = Room::new("reconcile");
    room.wants(&["a", "b"]);
    let daemon = room.supervise();
    let (kept, dropped) = (room.pid_of("a", |_| true), room.pid_of("b", |_| true));
    room.wants(&["a"]);
    signal(daemon.pid(), Signal::SIGHUP);
    until("b ends", || !alive(dropped));
    assert_eq!(room.pid_of("a", |_| true), kept);
}

#[test]
fn a_stopped_supervisor_leaves_nothing_behind() {
    let room = Room::new("stop");
    room.wants(&["a", "b"]);
    let mut daemon = room.supervise();
    let pids = [room.pid_of("a", |_| true), room.pid_of("b", |_| true)];
    signal(daemon.pid(), Signal::SIGTERM);
    assert!(daemon.0.wait().unwrap().success());
    assert!(!pids.into_iter().any(alive));
    assert_eq!(fs::read_dir(room.0.join("run")).unwrap().count(), 0);
}

#[test]
fn there_is_one_supervisor_at_a_time() {
    let room = Room::new("single");
    room.wants(&["a"]);
    let _daemon = room.supervise();
    room.pid_of("a", |_| true);
    let second = room.command().output().unwrap();
    assert!(!second.status.success());
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(told.contains("another supervisor"), "{told}");
}

/// A platform's folder, gone with the test.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Self {
        let room = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{name}-{}", std::process::id()));
        for folder in ["run", "logs"] {
            fs::create_dir_all(room.join(folder)).unwrap();
        }
        Self(room)
    }

    fn wants(&self, names: &[&str]) {
        let processes: Vec<Value> = names.iter().map(|name| self.sleeper(name)).collect();
        fs::write(
            self.0.join("desired.json"),
            json!({ "processes": processes }).to_string(),
        )
        .unwrap();
    }

    fn sleeper(&self, name: &str) -> Value {
        json!({
            "name": name, "program": "/bin/sleep", "args": ["600"], "environment": {}, "folder": self.0,
            "account": null, "stop": "terminate", "port": 1, "probe": "http", "fingerprint": 0,
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_platform"));
        command
            .arg("supervise")
            .env("PLATFORM_DIR", &self.0)
            .stdout(Stdio::null());
        command
    }

    fn supervise(&self) -> Daemon {
        let daemon = Daemon(self.command().spawn().unwrap());
        let announced = || {
            let text = fs::read_to_string(self.0.join("supervisor.json")).unwrap_or_default();
            serde_json::from_str(&text)
                .is_ok_and(|value: Value| value["process"]["pid"] == daemon.pid())
        };
        until("the daemon announces itself", announced);
        daemon
    }

    /// The number of a process that lives, once it is one that `fits`.
    fn pid_of(&self, name: &str, fits: impl Fn(i32) -> bool) -> i32 {
        let mut found = None;
        until(name, || {
            let text =
                fs::read_to_string(self.0.join(format!("run/{name}.pid"))).unwrap_or_default();
            found = text
                .trim()
                .parse()
                .ok()
                .filter(|pid| fits(*pid) && alive(*pid));
            found.is_some()
        });
        found.unwrap()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        for entry in fs::read_dir(self.0.join("run"))
            .unwrap()
            .filter_map(Result::ok)
        {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            if let Ok(pid) = text.trim().parse() {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A supervisor that is killed with the test.
struct Daemon(Child);

impl Daemon {
    fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).unwrap();
}

/// Not reaped yet counts as dead.
fn alive(pid: i32) -> bool {
    let shown = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8_lossy(&shown.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
