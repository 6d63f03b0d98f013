//! Small JSON files that are whole or not there, and closed to others.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes a value beside the file and renames it: a reader sees the old one or the new one.
pub(crate) fn write(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let name = format!("{}.{}.partial", path.display(), std::process::id());
    let text = serde_json::to_string_pretty(value)?;
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&name)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&name, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Reads a value; none when the file is not there.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let value = serde_json::from_str(&text)
        .with_context(|| format!("{} is damaged: remove it", path.display()))?;
    Ok(Some(value))
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Takes a lock that ends with the returned file, or with the process.
///
/// # Errors
/// When somebody else holds it; `holder` says who that would be.
pub(crate) fn lock(path: &Path, holder: &str) -> anyhow::Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!("{holder} is at work: {} is locked", path.display()),
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock"),
    }
}
