//! What the databases say when everything has come to rest: the operator's audit, run as an operator runs it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use tokio::process::Command;

use crate::platform::Platform;
use crate::violation::Violation;

/// How long the audit may wait for quiet, in seconds.
const WAIT: &str = "90";
/// What would lead an audit to another platform.
const ELSEWHERE: [&str; 4] = [
    "DATABASE_URL",
    "KAFKA_BROKERS",
    "TOPIC_PREFIX",
    "GATEWAY_URL",
];

/// What an audit found.
#[derive(Debug)]
pub struct Finding {
    /// What is not in order, or could not be looked at.
    pub violations: Vec<Violation>,
    /// What the operator's program printed, for the report.
    pub printed: Value,
}

/// The part of the program's answer that decides.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    violations: Vec<Broken>,
    not_checked: Vec<Value>,
    not_quiet: Vec<String>,
    /// Lines of parked messages, by consumer. The audit takes them for an explanation; here nobody sends what cannot be
    /// handled, and what is away is no failed attempt.
    parked: BTreeMap<String, i64>,
}

/// A rule that does not hold.
#[derive(Deserialize)]
struct Broken {
    order: String,
    rule: String,
    expected: String,
    found: String,
}

/// Audits the platform; of its orders only those that were taken `since` a moment, where one is named. `operator` is the
/// program.
///
/// # Errors
/// The audit could not be made.
pub async fn audit(
    operator: &Path,
    platform: &Platform,
    since: Option<&str>,
) -> anyhow::Result<Finding> {
    let mut command = Command::new(operator);
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    let output = command
        .env("PLATFORM_DIR", platform.folder())
        .args(["audit", "--wait", WAIT, "--json"])
        .args(since.map(|moment| format!("--since={moment}")))
        .stderr(Stdio::inherit())
        .output()
        .await
        .with_context(|| format!("cannot run {}", operator.display()))?;
    let printed: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("operator audit ended with {} and no answer", output.status))?;
    let mut violations = violations(Answer::deserialize(&printed)?);
    if !output.status.success() && violations.is_empty() {
        let what = format!("operator audit ended with {}", output.status);
        violations.push(Violation::general(what));
    }
    Ok(Finding {
        violations,
        printed,
    })
}

/// What was not checked, and what did not come to rest, counts as well: nobody can say that it is in order.
fn violations(answer: Answer) -> Vec<Violation> {
    let broken = answer.violations.into_iter().map(|broken| {
        let Broken {
            order,
            rule,
            expected,
            found,
        } = broken;
        Violation::of(
            order,
            format!("audit, {rule}: expected {expected}, found {found}"),
        )
    });
    let unchecked = answer.not_checked.into_iter();
    let unchecked = unchecked.map(|what| Violation::general(format!("audit, not checked: {what}")));
    let restless = answer.not_quiet.into_iter();
    let restless = restless.map(|what| Violation::general(format!("audit, not at rest: {what}")));
    let parked = answer.parked.into_iter();
    let parked = parked.map(|(consumer, lines)| {
        Violation::general(format!(
            "audit: {consumer} has parked messages of {lines} orders"
        ))
    });
    let incomplete = unchecked.chain(restless).chain(parked);
    broken.chain(incomplete).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_an_audit_is_not_content_with_is_a_violation() {
        let answer = serde_json::json!({
            "violations": [{"order": "018f", "rule": "one-hold", "expected": "1", "found": "2"}],
            "notChecked": [{"what": "topics", "why": "no Kafka"}],
            "notQuiet": ["the outbox of order-service"],
            "parked": {"kitchen-service": 2},
            "clean": false,
        });
        let found = violations(Answer::deserialize(answer).unwrap());
        assert_eq!(found.len(), 4);
        assert_eq!(
            found[0],
            Violation::of("018f", "audit, one-hold: expected 1, found 2")
        );
    }
}
