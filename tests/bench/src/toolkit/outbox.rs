//! What it takes to say something: a transaction that writes nothing but the outbox.

use std::time::{Duration, Instant};

use messaging::{Outgoing, Stamp, Store};
use serde::Serialize;

use super::rig::{Rig, TOPIC};
use crate::quantiles::{Latencies, Quantiles};

/// How long each is measured.
const LENGTH: Duration = Duration::from_secs(2);
/// Some hundred answers, of which some consumers give several for a message.
const BATCH: usize = 500;

/// Rows into the outbox.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Outbox {
    /// A transaction with one row, by one client, in milliseconds.
    pub(crate) alone: Quantiles,
    /// Rows per second in transactions of 500, by one client.
    pub(crate) batched: f64,
}

/// Measures both.
///
/// # Errors
/// The database's.
pub(super) async fn measure(rig: &Rig) -> anyhow::Result<Outbox> {
    let (mut alone, begin) = (Latencies::new(), Instant::now());
    while begin.elapsed() < LENGTH {
        let began = Instant::now();
        commit(&rig.store).await?;
        alone.add(began.elapsed());
    }
    let (mut rows, begin) = (0, Instant::now());
    while begin.elapsed() < LENGTH {
        let messages = batch()?;
        rows += messages.len();
        let written = rig.store.transact(move |unit| {
            unit.publish_all(messages);
            Box::pin(async { Ok::<_, sea_orm::DbErr>(()) })
        });
        written.await?;
    }
    Ok(Outbox {
        alone: alone.quantiles(),
        batched: rows as f64 / begin.elapsed().as_secs_f64(),
    })
}

/// A transaction that says one thing.
async fn commit(store: &Store) -> anyhow::Result<()> {
    let body = serde_json::json!({ "padding": "x".repeat(300) });
    let message = Outgoing::new(
        &mut Stamp::live(),
        TOPIC,
        "TICKET_CREATED",
        ambient::new_id(),
        0,
        &body,
    )?;
    store
        .transact(move |unit| {
            unit.publish(message);
            Box::pin(async { Ok::<_, sea_orm::DbErr>(()) })
        })
        .await?;
    Ok(())
}

fn batch() -> anyhow::Result<Vec<Outgoing>> {
    let (mut stamp, body) = (
        Stamp::live(),
        serde_json::json!({ "padding": "x".repeat(300) }),
    );
    let messages = (0..BATCH).map(|_| {
        let key = ambient::new_id();
        Outgoing::new(&mut stamp, TOPIC, "TICKET_CREATED", key, 1, &body)
    });
    Ok(messages.collect::<Result<_, _>>()?)
}
