//! What the databases say when everything has come to rest: the operator's audit, run as an operator runs it.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::platform::Platform;
use crate::violation::Violation;

/// How long the audit may wait for quiet, in seconds.
const WAIT: &str = "60";

/// What an audit found.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) violations: Vec<Violation>,
    /// What the operator's program printed, for the report.
    pub(crate) printed: Value,
}

/// Audits the platform. `operator` is the program.
pub(crate) async fn audit(operator: &Path, platform: &Platform) -> anyhow::Result<Finding> {
    let output = command(operator, platform)
        .args(["--json", "audit", "--wait", WAIT])
        .stderr(Stdio::inherit())
        .output()
        .await?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let printed = serde_json::from_str(&printed).unwrap_or(Value::String(printed));
    let violations = match output.status.code() {
        Some(0) => Vec::new(),
        Some(1) => vec![Violation::general(format!("operator audit: {printed}"))],
        _ => anyhow::bail!("operator audit ended with {}: {printed}", output.status),
    };
    Ok(Finding {
        violations,
        printed,
    })
}

fn command(operator: &Path, platform: &Platform) -> Command {
    let mut command = Command::new(operator);
    command.env("PLATFORM_DIR", platform.folder());
    command
}
