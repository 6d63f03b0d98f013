//! A small audit, for an operator's program that has none: at rest, and each order as often as it may be everywhere.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use tokio::time::{Instant, sleep};

use crate::client::{Client, DELIVERY, GATEWAY, KITCHEN, ORDERS, PAYMENTS, RESTAURANTS, Request};
use crate::platform::Platform;
use crate::violation::Violation;

const PATIENCE: Duration = Duration::from_secs(60);
/// Who has something to say about an order, and where it is kept.
const COMPANIONS: [(&str, &str); 4] = [
    (RESTAURANTS, "tickets"),
    (PAYMENTS, "payments"),
    (KITCHEN, "cooks"),
    (DELIVERY, "deliveries"),
];

/// States by order.
type States = BTreeMap<String, String>;

pub(super) async fn audit(platform: &Platform) -> anyhow::Result<Vec<Violation>> {
    let mut violations = at_rest(platform).await?;
    let orders = states(&open(platform, ORDERS).await?, "orders").await?;
    let mut companions = Vec::new();
    for (service, table) in COMPANIONS {
        companions.push(states(&open(platform, service).await?, table).await?);
    }
    for (order, state) in &orders {
        let found: Vec<&str> = companions
            .iter()
            .map(|states| states.get(order).map_or("-", String::as_str))
            .collect();
        if !fits(state, &found) {
            let what = format!("{state}, and ticket, payment, cook, delivery are {found:?}");
            violations.push(Violation::of(order, what));
        }
    }
    violations.extend(gateway(platform).await?);
    Ok(violations)
}

/// Whether ticket, payment, cook and delivery are as the order's end wants them.
fn fits(order: &str, companions: &[&str]) -> bool {
    let [ticket, payment, cook, delivery] = companions else {
        return false;
    };
    match order {
        "COMPLETE" => {
            [*ticket, *payment, *cook, *delivery] == ["COMPLETE", "CAPTURED", "READY", "COMPLETE"]
        }
        "CANCELLED" => {
            ["CANCELLED", "REJECTED", "-"].contains(ticket)
                && ["VOIDED", "DECLINED", "-"].contains(payment)
                && ["CANCELLED", "-"].contains(cook)
                && *delivery == "-"
        }
        "REJECTED" => {
            ["REJECTED", "-"].contains(ticket)
                && ["VOIDED", "DECLINED", "-"].contains(payment)
                && [*cook, *delivery] == ["-", "-"]
        }
        _ => false,
    }
}

/// Nothing waits to be published, nobody has parked a message, no saga is under way.
async fn at_rest(platform: &Platform) -> anyhow::Result<Vec<Violation>> {
    let mut violations = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    for service in platform.services_with_outbox() {
        let db = open(platform, service).await?;
        loop {
            let waiting = count(&db, "SELECT count(*) FROM outbox_pending").await?;
            if waiting == 0 {
                break;
            }
            if Instant::now() > deadline {
                violations.push(Violation::general(format!(
                    "{service}: {waiting} messages wait to be published"
                )));
                break;
            }
            sleep(Duration::from_millis(200)).await;
        }
        let parked = count(&db, "SELECT count(*) FROM parked").await?;
        if parked > 0 {
            violations.push(Violation::general(format!(
                "{service} has parked {parked} messages"
            )));
        }
    }
    Ok(violations)
}

async fn gateway(platform: &Platform) -> anyhow::Result<Option<Violation>> {
    let client = Client::new(platform)?;
    let summary = client
        .send(0, &Request::get(GATEWAY, "/v1/ledger/summary"))
        .await;
    let summary = summary.context("the gateway does not answer")?;
    let books: serde_json::Value = serde_json::from_str(&summary.body)?;
    let good = books["doubleHolds"] == 0 && books["doubleCharges"] == 0;
    Ok((!good).then(|| Violation::general(format!("somebody was held or charged twice: {books}"))))
}

async fn open(platform: &Platform, service: &str) -> anyhow::Result<DatabaseConnection> {
    let url = platform.member(service)?.environment.get("DATABASE_URL");
    Ok(Database::connect(url.with_context(|| format!("{service} has no database"))?).await?)
}

async fn states(db: &DatabaseConnection, table: &str) -> anyhow::Result<States> {
    let sql = format!("SELECT order_id::text AS id, state::text AS state FROM {table}");
    let rows = db
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    let pairs = rows
        .iter()
        .map(|row| Ok((row.try_get("", "id")?, row.try_get("", "state")?)));
    pairs.collect()
}

async fn count(db: &DatabaseConnection, sql: &str) -> anyhow::Result<i64> {
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql.to_owned()))
        .await?;
    Ok(row.context("no answer")?.try_get("", "count")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_company() {
        assert!(fits(
            "COMPLETE",
            &["COMPLETE", "CAPTURED", "READY", "COMPLETE"]
        ));
        assert!(fits(
            "CANCELLED",
            &["CANCELLED", "VOIDED", "CANCELLED", "-"]
        ));
        assert!(fits("REJECTED", &["REJECTED", "DECLINED", "-", "-"]));
    }

    #[test]
    fn money_that_stays_held_and_orders_that_did_not_end_are_seen() {
        assert!(!fits(
            "CANCELLED",
            &["CANCELLED", "AUTHORISED", "CANCELLED", "-"]
        ));
        assert!(!fits("REJECTED", &["REJECTED", "AUTHORISED", "-", "-"]));
        assert!(!fits(
            "COMPLETE",
            &["COMPLETE", "AUTHORISED", "READY", "COMPLETE"]
        ));
        assert!(!fits(
            "PREPARING",
            &["PREPARING", "AUTHORISED", "PREPARING", "-"]
        ));
    }
}
