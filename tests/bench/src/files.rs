//! Files of results.

use std::path::Path;

use anyhow::Context;

/// Writes a file, and makes its folder.
///
/// # Errors
/// It cannot.
pub(crate) fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
