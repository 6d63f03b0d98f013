//! Logs and metrics: what the process tells its operators.

mod logs;
mod metrics;

pub(crate) use metrics::{keep_up, render};

use crate::Settings;

/// Starts writing logs and collecting metrics. Metrics can be started again and again, logs only once per process.
///
/// # Errors
/// The log filter is invalid, or something else in this process writes logs already.
pub fn start(settings: &Settings) -> anyhow::Result<()> {
    metrics::start();
    logs::start(&settings.log, settings.log_format)
}
