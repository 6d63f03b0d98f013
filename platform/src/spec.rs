//! One process that must run, as a value: equal values need no restart.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use native::{Launch, StopSignal};
use serde::{Deserialize, Serialize};

/// Everything that starts a process and ends it again. Knows nothing of what the process does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// Unique; names the log and the pid file.
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    /// The whole environment; nothing is inherited.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) folder: PathBuf,
    /// User and group, when they are not the supervisor's own.
    pub(crate) account: Option<(u32, u32)>,
    /// The signal that ends it cleanly, by its short name.
    pub(crate) stop: Stop,
    /// The port that must be free before it starts.
    pub(crate) port: u16,
    pub(crate) probe: Probe,
    /// Of the program's content: a new build is another value.
    pub(crate) fingerprint: u64,
}

/// How a process is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stop {
    Terminate,
    Interrupt,
}

/// How a process is asked whether it is ready. The order is the one to start in; stopping goes
/// the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Probe {
    Postgres,
    Kafka,
    /// `GET /health/ready`.
    Http,
}

impl Spec {
    /// A server, as its own crate says that it is launched.
    pub(crate) fn server(name: &str, port: u16, probe: Probe, launch: Launch) -> Self {
        Self {
            name: name.to_owned(),
            program: launch.program,
            args: launch.args,
            environment: BTreeMap::new(),
            folder: launch.folder,
            account: launch.account.map(|account| (account.uid, account.gid)),
            stop: match launch.stop {
                StopSignal::Terminate => Stop::Terminate,
                StopSignal::Interrupt => Stop::Interrupt,
            },
            port,
            probe,
            fingerprint: 0,
        }
    }
}

/// A number that changes with a file's content, and not with its date.
pub(crate) fn fingerprint(program: &Path) -> anyhow::Result<u64> {
    let read = || -> std::io::Result<u64> {
        let mut file = File::open(program)?;
        let mut hasher = DefaultHasher::new();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.finish()),
                length => hasher.write(&buffer[..length]),
            }
        }
    };
    read().with_context(|| {
        format!(
            "cannot read {}: `make compile` builds it",
            program.display()
        )
    })
}
