//! What the databases say when everything has come to rest: the operator's audit, run as an operator runs it.

mod own;

use std::path::Path;
use std::process::Stdio;

use anyhow::Context;
use serde_json::Value;
use tokio::process::Command;

use crate::platform::Platform;
use crate::violation::Violation;

/// How long the audit may wait for quiet.
const WAIT: &str = "60s";

/// What an audit found.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) violations: Vec<Violation>,
    /// What the operator's program printed, for the report.
    pub(crate) printed: Value,
}

/// Audits the platform. `operator` is the program.
pub(crate) async fn audit(operator: &Path, platform: &Platform) -> anyhow::Result<Finding> {
    if !knows_audit(operator).await? {
        return Ok(Finding {
            violations: own::audit(platform).await?,
            printed: Value::Null,
        });
    }
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

async fn knows_audit(operator: &Path) -> anyhow::Result<bool> {
    let help = Command::new(operator)
        .args(["audit", "--help"])
        .output()
        .await
        .with_context(|| format!("cannot run {}", operator.display()))?;
    Ok(help.status.success())
}

fn command(operator: &Path, platform: &Platform) -> Command {
    let mut command = Command::new(operator);
    command.env("PLATFORM_DIR", platform.folder());
    command
}
