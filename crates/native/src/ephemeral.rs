//! Servers that live exactly as long as the process that asked for them.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{
    Error, Installation, Kafka, Launch, Postgres, Server, launch, port, reachable, secret,
};

/// Waits for a line, runs the server, and stops it at the end of standard input. The kernel closes
/// that pipe when the process at its other end dies, however it dies, SIGKILL included: so neither
/// server nor folder is left behind.
const GUARD: &str = r#"
exec 3<&0 </dev/null
if read -r _ <&3; then
    cd "$NATIVE_DATA" || exit
    "$@" 3<&- & server=$!
    { read -r _ <&3; kill -s "$NATIVE_STOP" $server; } & watch=$!
    wait $server
    kill $watch
    cd /
fi
until rm -rf -- "$NATIVE_FOLDER"; do sleep 0.1; done
"#;
const PATIENCE: Duration = Duration::from_secs(60);
const ATTEMPTS: u32 = 3;

/// A server with a port and a folder of its own, both gone when this value is dropped or when the
/// process ends, by SIGKILL even.
#[derive(Debug)]
pub struct Ephemeral<S> {
    /// How to reach it.
    pub server: S,
    guard: Child,
}

impl Ephemeral<Postgres> {
    /// Starts an empty Postgres and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be prepared, or ends, or stays silent for a minute.
    pub fn postgres(installation: &Installation) -> Result<Self, Error> {
        let password = secret::token()?;
        start(|folder| {
            Ok(Postgres::new(
                installation,
                &folder.join("data"),
                port::free()?,
                &password,
            ))
        })
    }
}

impl Ephemeral<Kafka> {
    /// Starts an empty Kafka and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be prepared, or ends, or stays silent for a minute.
    pub fn kafka(installation: &Installation) -> Result<Self, Error> {
        start(|folder| {
            Ok(Kafka::new(
                installation,
                &folder.join("data"),
                port::free()?,
                port::free()?,
            ))
        })
    }
}

impl<S> Drop for Ephemeral<S> {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Nothing can be done about a failure here, and the guard cleans up by itself.
        let _ = self.guard.wait();
    }
}

/// Starts what `describe` describes; tries other ports when a stranger was quicker to take one.
fn start<S: Server>(describe: impl Fn(&Path) -> Result<S, Error>) -> Result<Ephemeral<S>, Error> {
    let mut attempt = 1;
    loop {
        let folder = new_folder()?;
        let started = describe(&folder).and_then(|server| guarded(server, &folder));
        match started {
            Err(Error::Silent { .. }) if attempt < ATTEMPTS => attempt += 1,
            done => return done,
        }
    }
}

fn new_folder() -> Result<PathBuf, Error> {
    let folder = reachable(&env::temp_dir())?.join(format!("native-{}", &secret::token()?[..16]));
    fs::create_dir(&folder).map_err(Error::file("create", &folder))?;
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
        .map_err(Error::file("open", &folder))?;
    Ok(folder)
}

fn guarded<S: Server>(server: S, folder: &Path) -> Result<Ephemeral<S>, Error> {
    let launch = server.launch()?;
    // The guard runs as the server does, and must be able to remove the folder.
    if let Some(account) = launch.account {
        account.own(folder)?;
    }
    let log = folder.join("log");
    let guard = guard(&launch, folder, &log)?;
    let mut started = Ephemeral { server, guard };
    started.server.prepare()?;
    if let Some(stdin) = &mut started.guard.stdin {
        stdin
            .write_all(b"start\n")
            .map_err(Error::file("write to the guard of", folder))?;
    }
    await_answer(started, &log)
}

fn guard(launch: &Launch, folder: &Path, log: &Path) -> Result<Child, Error> {
    let output = File::create(log).map_err(Error::file("create", log))?;
    let errors = output.try_clone().map_err(Error::file("share", log))?;
    let mut command = Command::new("sh");
    command
        .args(["-c", GUARD, "guard"])
        .arg(&launch.program)
        .args(&launch.args);
    command
        .env("NATIVE_FOLDER", folder)
        .env("NATIVE_DATA", &launch.folder)
        .env("NATIVE_STOP", launch.stop.name());
    command
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(errors)
        .current_dir("/")
        .process_group(0);
    launch::run_as(&mut command, launch.account);
    command.spawn().map_err(|source| Error::Tool {
        program: "sh".to_owned(),
        source,
    })
}

fn await_answer<S: Server>(mut started: Ephemeral<S>, log: &Path) -> Result<Ephemeral<S>, Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut tail = String::new();
    while Instant::now() < deadline {
        if started.server.answers() {
            return Ok(started);
        }
        tail = fs::read_to_string(log).unwrap_or(tail);
        if matches!(started.guard.try_wait(), Ok(Some(_))) {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(Error::Silent {
        server: started.server.name(),
        port: started.server.port(),
        log: tail,
    })
}
