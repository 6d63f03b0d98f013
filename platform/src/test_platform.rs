//! Runs a command beside a whole platform of its own, which ends with it.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::Context;

use crate::settings::Settings;
use crate::{command, ports, up};

/// Cleans up at the end of standard input, which comes when the process at its other end dies,
/// however it dies.
const GUARD: &str = r#"read -r _; "$0" clean; rm -rf -- "$PLATFORM_DIR""#;

/// Brings a platform up in a new folder and on free ports, tells the command where it is
/// (`PLATFORM_DIR`, `PORT_OFFSET`), and hands on its exit code.
pub(crate) async fn run(settings: &Settings, command: &[String]) -> anyhow::Result<ExitCode> {
    let folder = std::env::temp_dir().join(format!("platform-{}", &native::token()?[..16]));
    let settings = settings.alone(folder, ports::free_offset(settings)?);
    let layout = settings.layout()?;
    let guard = Guard::post(layout.root())?;
    let done = match up::bring(&settings, &layout).await {
        Ok(_) => {
            let places = [
                ("PLATFORM_DIR", layout.root().display().to_string()),
                ("PORT_OFFSET", settings.port_offset.to_string()),
            ];
            command::run(command, places).await
        }
        Err(error) => Err(error),
    };
    drop(guard);
    done
}

/// The process that cleans up.
struct Guard(Child);

impl Guard {
    fn post(folder: &Path) -> anyhow::Result<Self> {
        Command::new("sh")
            .args(["-c", GUARD])
            .arg(std::env::current_exe()?)
            .env("PLATFORM_DIR", folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .map(Self)
            .context("cannot start `sh`")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It cleans up by itself; a failure to wait for it changes nothing.
        let _ = self.0.wait();
    }
}
