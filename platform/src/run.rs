//! The records of what runs: written by the supervisor, read by everybody.

use std::fs;

use anyhow::Context;
use native::Process;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::layout::Layout;
use crate::spec::Spec;

/// A process that was started, and as what. It may have died since.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) spec: Spec,
    pub(crate) process: Process,
    /// How often it was started again after it died.
    pub(crate) restarts: u32,
}

impl Record {
    /// Whether the process lives.
    pub(crate) fn alive(&self) -> bool {
        self.process.alive()
    }

    /// Writes the record, and the bare number beside it for people with `kill`.
    pub(crate) fn write(&self, layout: &Layout) -> anyhow::Result<()> {
        let name = &self.spec.name;
        files::write(&layout.run().join(format!("{name}.json")), self)?;
        let pid = layout.run().join(format!("{name}.pid"));
        fs::write(&pid, format!("{}\n", self.process.pid))
            .with_context(|| format!("cannot write {}", pid.display()))
    }
}

/// Removes the record of a process that must not run any more.
pub(crate) fn forget(layout: &Layout, name: &str) -> anyhow::Result<()> {
    files::remove(&layout.run().join(format!("{name}.json")))?;
    files::remove(&layout.run().join(format!("{name}.pid")))
}

/// The record of one process.
pub(crate) fn find(layout: &Layout, name: &str) -> anyhow::Result<Option<Record>> {
    files::read(&layout.run().join(format!("{name}.json")))
}

/// All records, in the order to start in.
pub(crate) fn all(layout: &Layout) -> anyhow::Result<Vec<Record>> {
    let Ok(entries) = fs::read_dir(layout.run()) else {
        return Ok(Vec::new());
    };
    let mut records: Vec<Record> = Vec::new();
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            records.extend(files::read::<Record>(&path)?);
        }
    }
    records.sort_by(|left, right| {
        (left.spec.probe, &left.spec.name).cmp(&(right.spec.probe, &right.spec.name))
    });
    Ok(records)
}
