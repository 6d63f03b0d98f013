//! Who Postgres runs as: it refuses to be root, so root hands it to `nobody`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, launch};

/// A user and group by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: u32,
}

impl Account {
    /// The account that a server must be given: `nobody` when this process is root, otherwise none,
    /// which means the own one.
    ///
    /// # Errors
    /// When `id` cannot be asked.
    pub fn for_postgres() -> Result<Option<Self>, Error> {
        if id(&["-u"])? != 0 {
            return Ok(None);
        }
        Ok(Some(Self {
            uid: id(&["-u", "nobody"])?,
            gid: id(&["-g", "nobody"])?,
        }))
    }

    /// Gives a file or folder to this account.
    pub(crate) fn own(self, path: &Path) -> Result<(), Error> {
        chown(path, Some(self.uid), Some(self.gid))
            .map_err(Error::file("change the owner of", path))
    }
}

/// Asks `id` for a number.
fn id(args: &[&str]) -> Result<u32, Error> {
    let printed = launch::output(Command::new("id").args(args))?;
    Ok(printed.trim().parse().unwrap_or(u32::MAX))
}

/// A folder for Postgres that the account it runs as can enter.
///
/// That is `folder` itself, unless this process is root and one of the parents is closed to others
/// (a checkout below `/root`): then a folder of the same meaning below `/var/tmp`, always the same
/// one for the same `folder`.
///
/// # Errors
/// When the folder cannot be made, or the one below `/var/tmp` belongs to somebody else.
pub fn reachable(folder: &Path) -> Result<PathBuf, Error> {
    fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    let folder = folder.canonicalize().map_err(Error::file("find", folder))?;
    if Account::for_postgres()?.is_none() || folder.ancestors().all(open_to_others) {
        return Ok(folder);
    }
    let elsewhere = Path::new("/var/tmp").join(format!("native-{:016x}", fingerprint(&folder)));
    fs::create_dir_all(&elsewhere).map_err(Error::file("create", &elsewhere))?;
    let found = fs::symlink_metadata(&elsewhere).map_err(Error::file("look at", &elsewhere))?;
    if !found.is_dir() || found.uid() != 0 {
        let source = std::io::Error::other("it belongs to another user: remove it");
        return Err(Error::File {
            doing: "use",
            path: elsewhere,
            source,
        });
    }
    fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o755))
        .map_err(Error::file("open", &elsewhere))?;
    Ok(elsewhere)
}

fn open_to_others(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|found| found.mode() & 0o001 != 0)
}

/// FNV-1a: stable between runs and versions, unlike the standard library's hasher.
fn fingerprint(path: &Path) -> u64 {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
