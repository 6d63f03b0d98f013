//! Removes what the platform made on this machine, but not the servers' programs.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use crate::layout::Layout;
use crate::{console, daemon, files};

/// Stops everything and removes data, logs, records and passwords.
pub(crate) async fn run(layout: &Layout) -> anyhow::Result<()> {
    if !layout.root().exists() {
        return Ok(());
    }
    let lock = files::lock(&layout.operator_lock(), "another `up`, `down` or `clean`")?;
    daemon::stop(layout).await?;
    for folder in [
        layout.postgres()?,
        layout.root().join("postgres"),
        layout.kafka(),
        layout.run(),
        layout.logs(),
    ] {
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
    }
    for file in [
        layout.desired(),
        layout.secrets(),
        layout.supervisor(),
        layout.supervisor_lock(),
    ] {
        files::remove(&file)?;
    }
    drop(lock);
    files::remove(&layout.operator_lock())?;
    remove_if_empty(layout.root().to_owned());
    console::say("removed data, logs and passwords");
    Ok(())
}

/// The downloaded servers may lie in the same folder; then it stays.
fn remove_if_empty(folder: PathBuf) {
    let _ = fs::remove_dir(folder);
}
