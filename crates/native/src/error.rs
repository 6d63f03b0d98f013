//! What can go wrong, with the next thing to do.

use std::io;
use std::path::PathBuf;

/// Why a server could not be installed, prepared or started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No servers are published for this kind of machine.
    #[error(
        "no Postgres is published for {os}/{arch}: give DATABASE_URL and KAFKA_BROKERS of servers that run"
    )]
    Unsupported {
        /// The operating system.
        os: &'static str,
        /// The processor.
        arch: &'static str,
    },
    /// A program that is needed is not on the PATH.
    #[error("`{program}` could not be started: install it (scripts/prerequisites.sh tells how)")]
    Tool {
        /// The program.
        program: String,
        /// Why it could not be started.
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("`{program}` failed ({status}):\n{output}")]
    Failed {
        /// The program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it printed.
        output: String,
    },
    /// A file or folder could not be used.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// The verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No port could be found on the loopback interface.
    #[error("no free port on 127.0.0.1")]
    Port(#[source] io::Error),
    /// A server ended, or did not answer in time.
    #[error("{server} does not answer on port {port}; the end of its log:\n{log}")]
    Silent {
        /// The server.
        server: &'static str,
        /// The port that was asked.
        port: u16,
        /// Its last lines.
        log: String,
    },
}

impl Error {
    /// Wraps an I/O error with what was done to which file.
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }
}
