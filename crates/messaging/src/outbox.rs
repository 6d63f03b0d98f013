//! The writing side of the transactional outbox (<https://microservices.io/patterns/data/transactional-outbox.html>).

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement,
};
use uuid::Uuid;

use crate::{Outgoing, inbox::Handled, sql};

/// How many shards this database's outbox has, and so in which of them a key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shards(u16);

impl Shards {
    /// Reads the number from the database: it is decided by the migration, not by the process.
    ///
    /// # Errors
    /// The database cannot be read, or its outbox has not been migrated.
    pub async fn read(db: &DatabaseConnection) -> Result<Self, DbErr> {
        let count = Statement::from_string(DbBackend::Postgres, "SELECT count(*) FROM relay.shard");
        let row = db
            .query_one_raw(count)
            .await?
            .ok_or_else(|| DbErr::Custom("count(*) gave no row".into()))?;
        let shards: i64 = row.try_get_by_index(0)?;
        u16::try_from(shards)
            .ok()
            .filter(|shards| *shards > 0)
            .map(Self)
            .ok_or_else(|| {
                DbErr::Custom(format!(
                    "the outbox has {shards} shards; run the migrations first"
                ))
            })
    }

    /// The shard of `key`: the same for all its messages, for ever.
    #[must_use]
    pub fn of(self, key: Uuid) -> i16 {
        // The tail of a UUID v7 is random; its head is time.
        let (_, tail) = key.as_u64_pair();
        i16::try_from(tail % u64::from(self.0)).unwrap_or_default()
    }
}

/// The insertion of outbox rows. The ids are taken here, by the last statement of the transaction.
const INSERT: &str = "\
INSERT INTO outbox (shard, id, message_id, key, causation, sequence, occurred_at, topic, kind, traceparent, headers, body)
SELECT shard, nextval(('outbox_s' || shard || '_id')::regclass), message_id, key,
       NULLIF(causation, '00000000-0000-0000-0000-000000000000'), sequence, occurred_at, topic, kind,
       NULLIF(traceparent, ''), NULLIF(headers, '')::jsonb, body
FROM (SELECT
    unnest($1::smallint[]) AS shard, unnest($2::uuid[]) AS message_id, unnest($3::uuid[]) AS key,
    unnest($4::uuid[]) AS causation, unnest($5::bigint[]) AS sequence, unnest($6::timestamptz[]) AS occurred_at,
    unnest($7::text[]) AS topic, unnest($8::text[]) AS kind, unnest($9::text[]) AS traceparent,
    unnest($10::text[]) AS headers, unnest($11::text[]) AS body
) AS row";

/// The same in one round trip with what the inbox has to remember.
const REMEMBER: &str = "\
WITH remembered AS (
    INSERT INTO inbox (message_id, key, consumer, replies)
    SELECT message_id, key, $15::text, NULLIF(replies, '')
    FROM (SELECT
        unnest($12::uuid[]) AS message_id, unnest($13::uuid[]) AS key, unnest($14::text[]) AS replies
    ) AS row
)";

/// Writes, in one statement, the outbox rows and what the inbox remembers. The last statement before COMMIT: ids
/// are taken while the aggregates' locks are held, and for as short a time as possible before they become visible.
pub(crate) async fn write(
    db: &DatabaseTransaction,
    shards: Shards,
    messages: &[Outgoing],
    handled: Option<&Handled>,
) -> Result<(), DbErr> {
    let rows = || messages.iter();
    let mut values = vec![
        sql::smallints(rows().map(|row| shards.of(row.key))),
        sql::uuids(rows().map(|row| row.id)),
        sql::uuids(rows().map(|row| row.key)),
        sql::optional_uuids(rows().map(|row| row.causation)),
        sql::bigints(rows().map(|row| row.sequence)),
        sql::times(rows().map(|row| row.time)),
        sql::texts(rows().map(|row| &row.topic)),
        sql::texts(rows().map(|row| &row.kind)),
        sql::optional_texts(rows().map(|row| row.traceparent.as_deref())),
        sql::optional_texts(rows().map(|row| row.headers.as_deref())),
        sql::texts(rows().map(|row| &row.body)),
    ];
    let statement = match handled {
        Some(handled) => {
            values.extend(handled.columns());
            format!("{REMEMBER} {INSERT}")
        }
        None if messages.is_empty() => return Ok(()),
        None => INSERT.to_owned(),
    };
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        statement,
        values,
    ))
    .await?;
    Ok(())
}
