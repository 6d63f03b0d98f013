//! What was handled already, and how it was answered (idempotent consumer,
//! <https://microservices.io/patterns/communication-style/idempotent-consumer.html>).
//!
//! The inbox is a shortcut that may be pruned. What makes an effect happen once is the business key of the aggregate.

use std::collections::{HashMap, HashSet};

use sea_orm::{DatabaseTransaction, DbBackend, DbErr, FromQueryResult, Statement, Value};
use uuid::Uuid;

use crate::{Message, Outgoing, sql};

/// Messages handled in this transaction, with their replies: rows of the inbox to be.
#[derive(Debug)]
pub(crate) struct Handled {
    pub(crate) consumer: String,
    pub(crate) rows: Vec<(Uuid, Uuid, Option<String>)>,
}

impl Handled {
    /// The parameters `$12` to `$15` of the outbox statement.
    pub(crate) fn columns(&self) -> [Value; 4] {
        let rows = || self.rows.iter();
        [
            sql::uuids(rows().map(|(id, _, _)| *id)),
            sql::uuids(rows().map(|(_, key, _)| *key)),
            sql::optional_texts(rows().map(|(_, _, replies)| replies.as_deref())),
            Value::from(self.consumer.clone()),
        ]
    }
}

/// What the database knows of a batch before it is handled.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Messages handled before, with the replies to be sent again.
    pub(crate) seen: HashMap<Uuid, Vec<Outgoing>>,
    /// Keys that are held back, and stay so until this transaction has ended.
    pub(crate) blocked: HashSet<String>,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    message_id: Option<Uuid>,
    replies: Option<String>,
    line: Option<String>,
}

/// The bounds on the id, here and below, let Postgres skip the days of the inbox in which these ids cannot be.
/// The lines are locked because messages are about to join them, see [`crate::parking`].
const KNOWN: &str = "\
SELECT message_id, replies, NULL::text AS line FROM inbox
WHERE message_id = ANY($1::uuid[]) AND message_id BETWEEN $2 AND $3 AND consumer = $4
UNION ALL
SELECT NULL, NULL, line FROM (SELECT line FROM parked_line WHERE consumer = $4 AND line = ANY($5::text[])
                              ORDER BY line FOR KEY SHARE) AS held";

/// Looks up, in one round trip, which of `messages` were handled before and which of `keys` are held back.
pub(crate) async fn look_up(
    db: &DatabaseTransaction,
    consumer: &str,
    messages: &[&Message],
    keys: HashSet<String>,
) -> Result<Known, DbErr> {
    let ids = || messages.iter().map(|message| message.id);
    let values = vec![
        sql::uuids(ids()),
        ids().min().unwrap_or_default().into(),
        ids().max().unwrap_or_default().into(),
        consumer.into(),
        sql::texts(keys),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, KNOWN, values);
    let mut known = Known::default();
    for row in Row::find_by_statement(statement).all(db).await? {
        if let Some(id) = row.message_id {
            known.seen.insert(id, read(row.replies.as_deref())?);
        }
        known.blocked.extend(row.line);
    }
    Ok(known)
}

fn read(replies: Option<&str>) -> Result<Vec<Outgoing>, DbErr> {
    replies
        .map_or_else(|| Ok(Vec::new()), serde_json::from_str)
        .map_err(|error| DbErr::Json(error.to_string()))
}

/// The replies among `published` to the message `id`, as the inbox keeps them.
pub(crate) fn replies_to(id: Uuid, published: &[Outgoing]) -> Result<Option<String>, DbErr> {
    let replies: Vec<_> = published
        .iter()
        .filter(|message| message.causation == Some(id))
        .collect();
    if replies.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&replies)
        .map(Some)
        .map_err(|error| DbErr::Json(error.to_string()))
}
