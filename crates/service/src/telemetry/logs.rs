//! Log lines on standard output, for people or for machines.

use std::io::{IsTerminal, stdout};

use anyhow::{Context, anyhow};
use tracing_subscriber::{EnvFilter, fmt};

use crate::settings::LogFormat;

pub(super) fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).context("LOG is no log filter")?;
    let lines = fmt().with_env_filter(filter);
    let started = match format {
        LogFormat::Text => lines.with_ansi(stdout().is_terminal()).try_init(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .try_init(),
    };
    started.map_err(|error| anyhow!("the log cannot be started: {error}"))
}
