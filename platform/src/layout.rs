//! The platform's folder: what lies where.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Paths below `PLATFORM_DIR`.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The folder at `root`, which need not exist; relative paths start at the current folder.
    pub(crate) fn at(root: &Path) -> anyhow::Result<Self> {
        let root = std::path::absolute(root)
            .with_context(|| format!("PLATFORM_DIR {}", root.display()))?;
        Ok(Self { root })
    }

    /// Makes the folders. What tells passwords is closed to others.
    pub(crate) fn create(&self) -> anyhow::Result<()> {
        for (folder, mode) in [
            (self.root.clone(), 0o755),
            (self.run(), 0o700),
            (self.logs(), 0o700),
        ] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(mode)
                .create(&folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        Ok(())
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Who runs: one record and one `.pid` per process.
    pub(crate) fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    /// What must run, written by `up` and read by the supervisor.
    pub(crate) fn desired(&self) -> PathBuf {
        self.root.join("desired.json")
    }

    /// Passwords, mode 600.
    pub(crate) fn secrets(&self) -> PathBuf {
        self.root.join("secrets.json")
    }

    /// Which supervisor is in charge.
    pub(crate) fn supervisor(&self) -> PathBuf {
        self.root.join("supervisor.json")
    }

    /// Held by the supervisor while it lives.
    pub(crate) fn supervisor_lock(&self) -> PathBuf {
        self.root.join("supervisor.lock")
    }

    /// Held by whoever changes what runs: `up`, `down`, `clean`.
    pub(crate) fn operator_lock(&self) -> PathBuf {
        self.root.join("operator.lock")
    }

    /// The folder that Postgres' data folder lies in, where its account can reach it.
    pub(crate) fn postgres(&self) -> anyhow::Result<PathBuf> {
        Ok(native::reachable(&self.root.join("postgres"))?)
    }

    pub(crate) fn kafka(&self) -> PathBuf {
        self.root.join("kafka")
    }
}
