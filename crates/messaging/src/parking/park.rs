//! How a message comes to stand in a line.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value};
use uuid::Uuid;

use crate::{Incoming, Raw, sql};

/// A message on its way into the table `parked`.
#[derive(Debug)]
pub(crate) struct Parked<'a> {
    pub(crate) id: Uuid,
    pub(crate) incoming: &'a Incoming,
    /// None: it was not tried, because its key is held back.
    pub(crate) condemned: Option<Condemned>,
}

/// Why a message is to be parked, and how often it was tried.
#[derive(Debug, Clone)]
pub(crate) struct Condemned {
    reason: String,
    attempts: i32,
}

/// The most of a reason (in characters) that is kept: some quote what they complain about, whatever its size.
const REASON: usize = 2_000;

/// Who waits joins a line that the look-up has found, and holds, or that begins here. Who is condemned begins one; if another
/// topic has begun it meanwhile, touching it holds it. (Touching one that is held already would meet a replay that waits
/// for this very transaction.)
const INSERT: &str = "\
WITH entered AS (
    INSERT INTO parked (id, consumer, topic, partition, \"offset\", key, message_id, kind, headers, payload, reason, attempts, parked_at)
    SELECT id, $1, topic, partition, position, NULLIF(key, ''), NULLIF(message_id, '00000000-0000-0000-0000-000000000000'), NULLIF(kind, ''),
           headers::jsonb, decode(payload, 'hex'), NULLIF(reason, ''), attempts, $2
    FROM unnest($3::uuid[], $4::text[], $5::int[], $6::bigint[], $7::text[], $8::uuid[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[])
         WITH ORDINALITY AS row (id, topic, partition, position, key, message_id, kind, headers, payload, reason, attempts, place)
    ORDER BY place
    ON CONFLICT (consumer, topic, partition, \"offset\") DO NOTHING
    RETURNING id, line, attempts
), begun AS (
    INSERT INTO parked_line (consumer, line, since) SELECT DISTINCT $1, line, $2::timestamptz FROM entered WHERE attempts > 0 ORDER BY line
    ON CONFLICT (consumer, line) DO UPDATE SET since = parked_line.since
)
SELECT id FROM entered";

/// Parks `rows`, in their order and in one statement, and tells which of them are new: a record that is parked already
/// stays as it is.
pub(crate) async fn park(
    db: &DatabaseTransaction,
    consumer: &str,
    rows: &[Parked<'_>],
    now: DateTime<Utc>,
) -> Result<HashSet<Uuid>, DbErr> {
    let raw = || rows.iter().map(|row| row.incoming.raw());
    let condemned = || rows.iter().map(|row| row.condemned.as_ref());
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
        sql::optional_texts(condemned().map(|condemned| Some(condemned?.reason.as_str()))),
        sql::ints(condemned().map(|condemned| condemned.map_or(0, Condemned::attempts))),
    ];
    let insert = Statement::from_sql_and_values(DbBackend::Postgres, INSERT, values);
    let new = db.query_all_raw(insert).await?;
    new.iter().map(|row| row.try_get_by_index(0)).collect()
}

impl Condemned {
    /// A reason that Postgres and a Kafka header can hold: short, and without the zero bytes that it may quote.
    pub(crate) fn new(reason: &str, attempts: u32) -> Self {
        Self {
            reason: reason
                .replace('\0', "\u{fffd}")
                .chars()
                .take(REASON)
                .collect(),
            attempts: i32::try_from(attempts).unwrap_or(i32::MAX).max(1),
        }
    }

    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    pub(crate) const fn attempts(&self) -> i32 {
        self.attempts
    }
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
