//! Dead letters: what could not be handled is kept in the consumer's own database, holds back its own key only,
//! and is announced on `<topic>.dlq`, through the outbox like everything else.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value};
use uuid::Uuid;

use crate::{Incoming, Outgoing, Raw, Stamp, sql};

/// The most of a value that its copy holds: a third of what Kafka takes by default, since a byte that is no text
/// becomes three.
const COPIED_BYTES: usize = 256 * 1024;

/// A message on its way into the table `parked`.
#[derive(Debug)]
pub(crate) struct Parked<'a> {
    pub(crate) id: Uuid,
    pub(crate) incoming: &'a Incoming,
    pub(crate) reason: String,
    pub(crate) attempts: i32,
    /// The failed message of the same key that this one waits for; none for the failed one itself.
    pub(crate) waits_behind: Option<Uuid>,
}

const INSERT: &str = "\
INSERT INTO parked (id, consumer, topic, partition, \"offset\", key, message_id, kind, headers, payload, reason, attempts, waits_behind, parked_at)
SELECT id, $1, topic, partition, position, NULLIF(key, ''), NULLIF(message_id, '00000000-0000-0000-0000-000000000000'), NULLIF(kind, ''),
       headers::jsonb, decode(payload, 'hex'), reason, attempts, NULLIF(waits_behind, '00000000-0000-0000-0000-000000000000'), $2
FROM unnest($3::uuid[], $4::text[], $5::int[], $6::bigint[], $7::text[], $8::uuid[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[], $14::uuid[])
     AS row (id, topic, partition, position, key, message_id, kind, headers, payload, reason, attempts, waits_behind)
ON CONFLICT (consumer, topic, partition, \"offset\") DO NOTHING";

/// Parks `rows`, in one statement. A record that is parked already stays as it is.
pub(crate) async fn park(
    db: &DatabaseTransaction,
    consumer: &str,
    rows: &[Parked<'_>],
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let raw = || rows.iter().map(|row| row.incoming.raw());
    let values: Vec<Value> = vec![
        consumer.into(),
        now.into(),
        sql::uuids(rows.iter().map(|row| row.id)),
        sql::texts(raw().map(|raw| &raw.topic)),
        sql::ints(raw().map(|raw| raw.partition)),
        sql::bigints(raw().map(|raw| raw.offset)),
        sql::optional_texts(raw().map(|raw| raw.key.as_deref())),
        sql::optional_uuids(
            rows.iter()
                .map(|row| row.incoming.message().map(|message| message.id)),
        ),
        sql::optional_texts(raw().map(|raw| raw.header("ce_type"))),
        sql::texts(raw().map(Raw::headers_as_json)),
        sql::texts(raw().map(|raw| hex(&raw.payload))),
        sql::texts(rows.iter().map(|row| &row.reason)),
        sql::ints(rows.iter().map(|row| row.attempts)),
        sql::optional_uuids(rows.iter().map(|row| row.waits_behind)),
    ];
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        INSERT,
        values,
    ))
    .await?;
    Ok(())
}

/// The copy of a failed message for `<topic>.dlq`: the same value, with headers that say who could not handle it, and why.
pub(crate) fn copy(consumer: &str, parked: &Parked<'_>, stamp: &mut Stamp) -> Outgoing {
    let raw = parked.incoming.raw();
    let message = parked.incoming.message();
    let headers = serde_json::json!({
        "dlq_id": parked.id.to_string(),
        "dlq_consumer": consumer,
        "dlq_reason": parked.reason,
        "dlq_attempts": parked.attempts.to_string(),
        "dlq_topic": raw.topic,
        "dlq_partition": raw.partition.to_string(),
        "dlq_offset": raw.offset.to_string(),
        "dlq_truncated": (raw.payload.len() > COPIED_BYTES).to_string(),
        "dlq_message_id": raw.header("ce_id").unwrap_or_default(),
    });
    let id = stamp.new_id();
    Outgoing {
        id,
        topic: format!("{}.dlq", raw.topic),
        kind: raw.header("ce_type").unwrap_or("UNKNOWN").to_owned(),
        key: raw
            .key
            .as_deref()
            .and_then(|key| key.parse().ok())
            .unwrap_or_default(),
        sequence: message.map_or(0, |message| message.sequence),
        time: stamp.now,
        causation: message.map(|message| message.id),
        traceparent: message
            .and_then(|message| message.trace)
            .map(|trace| trace.publishing(id).to_string()),
        headers: Some(headers.to_string()),
        body: excerpt(&raw.payload),
    }
}

/// As much of the value as the copy may hold: the relay must be able to send it. All of it is in the table.
fn excerpt(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(&payload[..payload.len().min(COPIED_BYTES)]);
    text.replace('\0', "\u{fffd}")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
