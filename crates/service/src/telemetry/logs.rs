//! Log lines on standard output, for people or for machines.

use std::io::{IsTerminal, stdout};

use anyhow::{Context, anyhow};
use tracing_subscriber::{
    filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt,
};

use crate::settings::LogFormat;

pub(super) fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    // Levels by target. The other filter of this library knows fields of spans too, and brings an engine for regular expressions
    // with it: memory in every service, for what nobody sets.
    let filter: Targets = filter.parse().context("LOG is no log filter")?;
    let lines = registry().with(filter);
    let started = match format {
        LogFormat::Text => lines
            .with(fmt::layer().with_ansi(stdout().is_terminal()))
            .try_init(),
        LogFormat::Json => {
            let json = fmt::layer()
                .json()
                .flatten_event(true)
                .with_span_list(false);
            lines.with(json).try_init()
        }
    };
    started.map_err(|error| anyhow!("the log cannot be started: {error}"))
}
