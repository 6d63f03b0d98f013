//! What a service tells, and what it is told, without Kafka in between.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;
use messaging::{Incoming, Message};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, Statement};
use serde_json::Value;
use uuid::Uuid;

/// Every delivery is a record of its own.
fn next_offset() -> i64 {
    static NEXT: AtomicI64 = AtomicI64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A new id as it was made so many days ago.
#[must_use]
pub fn id_of_days_ago(days: i64) -> Uuid {
    const TIME: u32 = 80;
    let moment = ambient::now() - TimeDelta::days(days);
    let milliseconds = u128::try_from(moment.timestamp_millis()).unwrap_or_default();
    let rest = ambient::new_id().as_u128() & ((1 << TIME) - 1);
    Uuid::from_u128((milliseconds << TIME) | rest)
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, FromQueryResult)]
pub struct Told {
    /// The message's id.
    pub message_id: Uuid,
    /// Where it goes.
    pub topic: String,
    /// Its type.
    pub kind: String,
    /// What it is about.
    pub key: Uuid,
    /// The version of the aggregate that speaks.
    pub sequence: i64,
    /// The message that it answers.
    pub causation: Option<Uuid>,
    /// Its trace.
    pub traceparent: Option<String>,
    /// Its data.
    pub body: String,
}

impl Told {
    /// The data as JSON.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body of a message is JSON")
    }

    /// The same message as its receivers get it.
    #[must_use]
    pub fn delivered(&self) -> Message {
        Message {
            id: self.message_id,
            kind: self.kind.clone(),
            source: "/test".to_owned(),
            key: self.key,
            time: ambient::now(),
            sequence: self.sequence,
            causation: self.causation,
            trace: self
                .traceparent
                .as_deref()
                .and_then(|trace| trace.parse().ok()),
            topic: self.topic.clone(),
            partition: 0,
            offset: next_offset(),
            body: self.body.clone(),
        }
    }
}

impl From<&Told> for Incoming {
    fn from(told: &Told) -> Self {
        told.delivered().into()
    }
}

/// Everything that the outbox holds, in the order in which it will be published.
///
/// # Panics
/// The database does not answer.
pub async fn outbox(db: &DatabaseConnection) -> Vec<Told> {
    let rows = "SELECT message_id, topic, kind, key, sequence, causation, traceparent, body FROM outbox ORDER BY shard, id";
    let rows = Statement::from_string(DbBackend::Postgres, rows);
    let rows = db
        .query_all_raw(rows)
        .await
        .expect("the outbox can be read");
    rows.iter()
        .map(|row| Told::from_query_result(row, "").expect("a row of the outbox"))
        .collect()
}

/// The outbox rows that answer the message `id`.
///
/// # Panics
/// The database does not answer.
pub async fn replies_to(db: &DatabaseConnection, id: Uuid) -> Vec<Told> {
    outbox(db)
        .await
        .into_iter()
        .filter(|told| told.causation == Some(id))
        .collect()
}

/// A message of `kind` on `topic` about `key`, as Kafka would deliver it.
#[must_use]
pub fn message(topic: &str, kind: &str, key: Uuid, body: &Value) -> Message {
    Message {
        id: ambient::new_id(),
        kind: kind.to_owned(),
        source: "/test".to_owned(),
        key,
        time: ambient::now(),
        sequence: 1,
        causation: None,
        trace: None,
        topic: topic.to_owned(),
        partition: 0,
        offset: next_offset(),
        body: body.to_string(),
    }
}
