//! How a server is started and stopped, as values: whoever keeps it alive decides when.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Account, Error};

/// A server that can be prepared, launched and asked.
pub trait Server {
    /// What it is called in messages and folders.
    fn name(&self) -> &'static str;
    /// The port on 127.0.0.1 that clients use.
    fn port(&self) -> u16;
    /// Makes the data folder, if it is not there. Running it again changes nothing.
    ///
    /// # Errors
    /// When the folder cannot be made or filled.
    fn prepare(&self) -> Result<(), Error>;
    /// The process to start.
    ///
    /// # Errors
    /// When the account that it runs as is unknown.
    fn launch(&self) -> Result<Launch, Error>;
    /// Whether it answers requests right now; asks once and waits at most a second.
    fn answers(&self) -> bool;
}

/// One process, not started yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// The program to run.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// The folder that it runs in.
    pub folder: PathBuf,
    /// Who it runs as; none is the account of this process.
    pub account: Option<Account>,
    /// What ends it cleanly.
    pub stop: StopSignal,
}

/// The signal that ends a process cleanly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGTERM: what nearly everything takes as "finish and go".
    Terminate,
    /// SIGINT: Postgres disconnects its clients and writes a checkpoint. (SIGTERM would wait until
    /// every client has gone by itself.)
    Interrupt,
}

impl StopSignal {
    /// The name that `kill -s` takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::Interrupt => "INT",
        }
    }
}

impl Launch {
    /// The command, in a process group of its own so that Ctrl-C in a terminal does not reach it.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .current_dir(&self.folder)
            .process_group(0);
        run_as(&mut command, self.account);
        command
    }
}

/// Lets a command run as somebody else; the standard library drops the supplementary groups too.
pub(crate) fn run_as(command: &mut Command, account: Option<Account>) {
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
}

/// Runs a program to its end and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let missing = |source: io::Error| Error::Tool {
        program: program.clone(),
        source,
    };
    let done = command.stdin(Stdio::null()).output().map_err(missing)?;
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(printed);
    }
    let output = printed + &String::from_utf8_lossy(&done.stderr);
    Err(Error::Failed {
        program,
        status: done.status,
        output,
    })
}
