//! Whether anything is under way, and waiting until nothing is.

use std::time::Duration;

use ambient::now;
use messaging::history::Offsets;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::{
    kafka::{Kafka, unread},
    read::{Service, Sources},
};

const PACE: Duration = Duration::from_millis(250);

/// No more of them are counted: one is enough to wait for.
const MANY: i64 = 1_000;

const UNPUBLISHED: &str = "SELECT 1 FROM outbox_pending";
/// By the index of the sagas that have not ended.
const AWAITING: &str = "SELECT 1 FROM sagas WHERE state NOT IN ('COMPLETED', 'ROLLED_BACK') \
                        AND state IN ('FORWARD', 'BACKWARD', 'CANCELLING')";
const CALLS: &str = "SELECT 1 FROM payments WHERE call IS NOT NULL";

/// Waits until nothing is under way, so long at most. Gives what still is.
///
/// # Errors
/// A database or Kafka does not answer.
pub(crate) async fn wait(
    sources: &Sources,
    kafka: Option<&Kafka>,
    patience: Duration,
) -> anyhow::Result<Vec<String>> {
    let deadline = now() + patience;
    let mut quiet_at: Option<Offsets> = None;
    loop {
        let ends = match kafka {
            Some(kafka) => kafka.ends().await?,
            None => Offsets::default(),
        };
        let restless = restless(sources, kafka, &ends).await?;
        // Twice, and nothing was published in between: what was read last may have had its effect where was looked first.
        if restless.is_empty() && quiet_at.replace(ends.clone()) == Some(ends) {
            return Ok(restless);
        }
        if now() >= deadline {
            let published = vec!["messages are still being published".to_owned()];
            return Ok(if restless.is_empty() {
                published
            } else {
                restless
            });
        }
        if !restless.is_empty() {
            quiet_at = None;
        }
        tokio::time::sleep(PACE).await;
    }
}

/// What is under way now.
async fn restless(
    sources: &Sources,
    kafka: Option<&Kafka>,
    ends: &Offsets,
) -> anyhow::Result<Vec<String>> {
    let mut restless = Vec::new();
    if let Some(kafka) = kafka {
        for (consumer, backlog) in kafka.behind(ends).await? {
            restless.push(unread(consumer, &backlog));
        }
    }
    for &service in sources.services.keys() {
        let unpublished = count(sources, service, UNPUBLISHED).await?;
        tell(
            &mut restless,
            unpublished,
            &format!("messages of {} are not published", service.name()),
        );
    }
    let awaiting = count(sources, Service::Orders, AWAITING).await?;
    tell(&mut restless, awaiting, "sagas await an answer");
    if sources.services.contains_key(&Service::Payments) {
        let calls = count(sources, Service::Payments, CALLS).await?;
        tell(&mut restless, calls, "calls to the gateway are open");
    }
    Ok(restless)
}

fn tell(restless: &mut Vec<String>, count: i64, what: &str) {
    match count {
        0 => {}
        MANY.. => restless.push(format!("{MANY} or more {what}")),
        few => restless.push(format!("{few} {what}")),
    }
}

async fn count(sources: &Sources, service: Service, rows: &str) -> anyhow::Result<i64> {
    let tx = sources.begin(service).await?;
    let sql = format!("SELECT count(*) AS count FROM ({rows} LIMIT {MANY}) AS found");
    let row = tx
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    tx.commit().await?;
    Ok(row
        .map(|row| row.try_get("", "count"))
        .transpose()?
        .unwrap_or(0))
}
