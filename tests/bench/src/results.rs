//! Everything that a run has found.

use serde::Serialize;
use serde_json::Value;

use crate::calibrate::Calibration;
use crate::idle::Idle;
use crate::million::Million;
use crate::plan::{Part, Plan};
use crate::rows::Row;
use crate::run::Run;
use crate::toolkit::Toolkit;
use crate::top::Top;
use crate::unloaded::Unloaded;

/// What is written as JSON. Parts that were not run are missing; times are in milliseconds, memory in MiB, unless it says so.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Results {
    /// When the run began.
    pub(crate) at: String,
    /// How long the parts were.
    pub(crate) plan: Option<Plan>,
    /// What was shorter than it is asked for, in words.
    pub(crate) shortened: Vec<String>,
    /// How many processors the machine has.
    pub(crate) processors: usize,
    /// How many processes wanted one of them before anything was measured, on the average of the last minute.
    pub(crate) busy: f64,
    /// The table, row by row.
    pub(crate) table: Vec<Row>,
    /// What the machine can do. Everything is compared with the stricter of this and what it can do when all is done.
    pub(crate) calibration: Option<Calibration>,
    /// The same when all was done.
    pub(crate) calibration_after: Option<Calibration>,
    /// Signs that the machine had other things to do, in words. None: the numbers are to be trusted.
    pub(crate) doubts: Vec<String>,
    /// Before any load.
    pub(crate) idle: Option<Idle>,
    /// The crates alone.
    pub(crate) toolkit: Option<Toolkit>,
    /// One order at a time.
    pub(crate) unloaded: Option<Unloaded>,
    /// The highest rate that held; or the last that was tried, with the reason why it did not.
    pub(crate) top: Option<Top>,
    /// At 30 % of the top.
    pub(crate) calm: Option<Run>,
    /// At twice the top.
    pub(crate) overload: Option<Run>,
    /// At the top and above it, with a million finished orders and with none.
    pub(crate) million: Option<Million>,
    /// At 70 % of the top, for long.
    pub(crate) backlog: Option<Run>,
    /// What the operator's audit found afterwards.
    pub(crate) audit: Value,
    /// Parts that were to be run, and were not since the run broke off in the first of them.
    pub(crate) broken_off: Vec<Part>,
    /// What was broken, in words. Nothing: the run counts.
    pub(crate) violations: Vec<String>,
}

impl Results {
    /// What everything is compared with: of what was calibrated before and after the stricter.
    pub(crate) fn limits(&self) -> Option<Calibration> {
        let before = self.calibration.as_ref()?;
        Some(match &self.calibration_after {
            Some(after) => before.stricter(after),
            None => before.clone(),
        })
    }

    /// Parts that were measured.
    pub(crate) fn reached(&self) -> Vec<Part> {
        let parts = [
            (Part::Calibrate, self.calibration.is_some()),
            (Part::Idle, self.idle.is_some()),
            (Part::Toolkit, self.toolkit.is_some()),
            (Part::Unloaded, self.unloaded.is_some()),
            (Part::Top, self.top.is_some()),
            (Part::Calm, self.calm.is_some()),
            (Part::Overload, self.overload.is_some()),
            (Part::Million, self.million.is_some()),
            (Part::Backlog, self.backlog.is_some()),
        ];
        let reached = parts.into_iter().filter(|(_, reached)| *reached);
        reached.map(|(part, _)| part).collect()
    }

    /// Runs of load that were made, by name.
    pub(crate) fn runs(&self) -> Vec<(&'static str, &Run)> {
        let top = self.top.as_ref().map(|top| &top.run);
        let million = self.million.as_ref();
        let held = if self.unheld().is_none() {
            "top"
        } else {
            "top, not held"
        };
        [
            (held, top),
            ("30 %", self.calm.as_ref()),
            ("overload", self.overload.as_ref()),
            ("above the top", million.map(|million| &million.without)),
            ("million", million.map(|million| &million.top)),
            (
                "million, above the top",
                million.map(|million| &million.with),
            ),
            ("backlog", self.backlog.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, run)| Some((name, run?)))
        .collect()
    }

    /// Lifecycles per second at the top.
    pub(crate) fn top_rate(&self) -> Option<f64> {
        self.top.as_ref().map(|top| top.run.completed)
    }

    /// Why the top is none, in words. Nothing: it was held, or not looked for.
    pub(crate) fn unheld(&self) -> Option<String> {
        let wrong = self.top.as_ref()?.wrong.as_ref()?;
        Some(format!("the top was not held: {wrong}"))
    }
}
