//! Postgres 18: its data folder, its settings, its address.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Account, Error, Installation, Launch, Server, StopSignal, launch, probe};

/// What differs from Postgres' own defaults, and `fsync` with `synchronous_commit` said aloud:
/// every promise of the platform rests on them.
const SETTINGS: [&str; 16] = [
    "fsync=on",
    "synchronous_commit=on",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=", // TCP only: a deep checkout would exceed a socket path's 108 bytes
    "max_connections=300",
    "shared_buffers=128MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    // One forgotten transaction keeps its locks, and keeps vacuum from cleaning up, in every database.
    "idle_in_transaction_session_timeout=30s",
    "shared_preload_libraries=pg_stat_statements",
    "track_io_timing=off",
    "jit=off", // no query here runs long enough to be worth compiling
    "log_min_duration_statement=1s",
    // Statements are logged, what is bound to them is not: some of it is personal.
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    "log_line_prefix=%m [%p] %u@%d ",
];

/// After a crash: one `syncfs` instead of an fsync for each of the thousands of files that eight
/// databases have, which took six seconds on a small machine. Only Linux has it.
const RECOVERY: &[&str] = if cfg!(target_os = "linux") {
    &["recovery_init_sync_method=syncfs"]
} else {
    &[]
};

/// A Postgres on 127.0.0.1 whose superuser `postgres` has the given password.
#[derive(Debug, Clone)]
pub struct Postgres {
    home: PathBuf,
    data: PathBuf,
    port: u16,
    password: String,
}

impl Postgres {
    /// Describes the server; nothing is touched yet. `data` must be [`crate::reachable`]. The
    /// password counts when the data folder is made, and is the superuser's from then on.
    #[must_use]
    pub fn new(installation: &Installation, data: &Path, port: u16, password: &str) -> Self {
        let home = installation.postgres.clone();
        Self {
            home,
            data: data.to_owned(),
            port,
            password: password.to_owned(),
        }
    }

    /// The superuser's URL of the database `postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/postgres",
            self.password, self.port
        )
    }

    fn initialise(&self, folder: &Path, account: Option<Account>) -> Result<(), Error> {
        let password = folder.with_extension("password");
        write_private(&password, &self.password)?;
        if let Some(account) = account {
            account.own(folder)?;
            account.own(&password)?;
        }
        let mut initdb = Command::new(self.home.join("bin/initdb"));
        initdb
            .args([
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
            ])
            .args([
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
            ])
            // 192 random bits need no stretching, and hundreds of test pools connect faster.
            .args(["--set", "scram_iterations=64"])
            .arg(format!("--pwfile={}", password.display()))
            .arg(format!("--pgdata={}", folder.display()))
            .current_dir(folder);
        launch::run_as(&mut initdb, account);
        let done = launch::output(&mut initdb);
        fs::remove_file(&password).map_err(Error::file("remove", &password))?;
        done.map(drop)
    }
}

impl Server for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn prepare(&self) -> Result<(), Error> {
        if self.data.exists() {
            return Ok(());
        }
        let partial = self.data.with_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(Error::file("remove", &partial))?;
        }
        fs::create_dir_all(&partial).map_err(Error::file("create", &partial))?;
        fs::set_permissions(&partial, fs::Permissions::from_mode(0o700))
            .map_err(Error::file("close", &partial))?;
        self.initialise(&partial, Account::for_postgres()?)?;
        fs::rename(&partial, &self.data).map_err(Error::file("rename", &partial))
    }

    fn launch(&self) -> Result<Launch, Error> {
        let settings = SETTINGS
            .iter()
            .chain(RECOVERY)
            .flat_map(|setting| ["-c".to_owned(), (*setting).to_owned()]);
        let place = [
            "-D".to_owned(),
            self.data.display().to_string(),
            "-p".to_owned(),
            self.port.to_string(),
        ];
        Ok(Launch {
            program: self.home.join("bin/postgres"),
            args: place.into_iter().chain(settings).collect(),
            folder: self.data.clone(),
            account: Account::for_postgres()?,
            stop: StopSignal::Interrupt,
        })
    }

    fn answers(&self) -> bool {
        probe::postgres(self.port)
    }
}

fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(Error::file("write", path))
}
