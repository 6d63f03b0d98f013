//! Reads what is new in one shard's outbox, in one statement, and so in one snapshot.

use std::collections::HashSet;

use futures_util::{Stream, TryStreamExt};
use sea_orm::sqlx::{
    self, AssertSqlSafe, PgConnection, Row as _, SqlSafeStr, SqlStr,
    postgres::PgRow,
    types::{
        Uuid,
        chrono::{DateTime, Utc},
    },
};

use crate::{
    cursor::Cursor,
    database::{Error, within},
    inquest::Transaction,
};

/// No more rows than this come in one batch.
pub const MAX_ROWS: usize = 500;
/// No more bytes than this are kept of one batch, except that one row always is.
pub const MAX_BYTES: usize = 512 * 1024;
/// At this many holes nothing new is read until some are gone: what asks for them must stay small, and to read on without
/// asking for all of them might reorder a key.
pub const MAX_HOLES: usize = 4_096;

const COLUMNS: &str = "id, message_id, key, causation, sequence, occurred_at, topic, kind, traceparent, headers::text, body";

/// A row of the outbox, as it came from the wire.
#[derive(Debug)]
pub struct Row(PgRow);

/// What one read brought, ascending by id.
#[derive(Debug)]
pub struct Batch {
    /// The rows.
    pub rows: Vec<Row>,
    /// Every id up to this one was asked for; a visible row that is not here has a higher id.
    pub covered: i64,
}

/// The statements of one shard.
#[derive(Debug)]
pub struct Reader {
    new: SqlStr,
    new_and_missed: SqlStr,
    holders: SqlStr,
    highest: SqlStr,
    /// Rows to ask for: fewer after a batch that was cut for its bytes.
    limit: usize,
}

impl Reader {
    /// A reader of this shard.
    #[must_use]
    pub fn new(shard: i16) -> Self {
        let table = format!("outbox_s{shard}");
        let new = format!("SELECT {COLUMNS} FROM {table} WHERE id > $1 ORDER BY id LIMIT $2");
        let missed = format!(
            "SELECT missed.* FROM unnest($3::bigint[], $4::bigint[]) AS hole (low, high) CROSS JOIN LATERAL
             (SELECT {COLUMNS} FROM {table} WHERE id >= hole.low AND id < hole.high ORDER BY id LIMIT $5) AS missed"
        );
        Self {
            new_and_missed: sql(format!("SELECT * FROM (({missed}) UNION ALL ({new})) AS unseen ORDER BY id LIMIT $5")),
            new: sql(new),
            holders: sql(format!(
                "SELECT virtualtransaction FROM pg_locks
                 WHERE locktype = 'relation' AND relation = '{table}_id'::regclass AND mode = 'RowExclusiveLock'
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )),
            highest: sql(format!("SELECT max(id) FROM {table}")),
            limit: MAX_ROWS,
        }
    }

    /// The next rows that `cursor` has not seen.
    ///
    /// # Errors
    /// The database is away.
    pub async fn read(&mut self, db: &mut PgConnection, cursor: &Cursor) -> Result<Batch, Error> {
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        if cursor.holes().is_empty() {
            let query = sqlx::query(self.new.clone())
                .bind(cursor.position())
                .bind(limit);
            let answer = within(take(query.fetch(db))).await?;
            return self.batch(answer, i64::MAX);
        }
        let (new, covered) = if cursor.holes().len() < MAX_HOLES {
            (limit, i64::MAX)
        } else {
            (0, cursor.position())
        };
        let (low, high): (Vec<i64>, Vec<i64>) = cursor
            .holes()
            .iter()
            .map(|hole| (hole.start, hole.end))
            .unzip();
        let query = sqlx::query(self.new_and_missed.clone())
            .bind(cursor.position())
            .bind(new)
            .bind(low)
            .bind(high)
            .bind(limit);
        let answer = within(take(query.fetch(db))).await?;
        self.batch(answer, covered)
    }

    /// The transactions that hold the sequence: whoever has taken an id does so, from before he took it until after his
    /// row is visible or his transaction is rolled back.
    ///
    /// # Errors
    /// The database is away.
    pub async fn holders(&self, db: &mut PgConnection) -> Result<HashSet<Transaction>, Error> {
        let rows = within(sqlx::query(self.holders.clone()).fetch_all(db)).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// The highest id that is visible.
    ///
    /// # Errors
    /// The database is away.
    pub async fn highest(&self, db: &mut PgConnection) -> Result<Option<i64>, Error> {
        let row = within(sqlx::query(self.highest.clone()).fetch_one(db)).await?;
        Ok(row.try_get(0)?)
    }

    fn batch(&mut self, answer: Answer, covered: i64) -> Result<Batch, Error> {
        let cut = answer.kept.len() < answer.count;
        let complete = !cut && answer.count < self.limit;
        self.limit = if cut {
            answer.kept.len()
        } else {
            MAX_ROWS.min(self.limit * 2)
        };
        let covered = match answer.kept.last() {
            Some(row) if !complete => row.id()?,
            _ => covered,
        };
        Ok(Batch {
            rows: answer.kept,
            covered,
        })
    }
}

/// Rows as far as they were kept, and how many there were.
struct Answer {
    kept: Vec<Row>,
    count: usize,
}

/// Keeps rows up to the limit of bytes, and lets the rest of the answer pass.
async fn take(
    mut answer: impl Stream<Item = Result<PgRow, sqlx::Error>> + Unpin,
) -> Result<Answer, sqlx::Error> {
    let (mut kept, mut count, mut bytes) = (Vec::new(), 0, 0);
    while let Some(row) = answer.try_next().await? {
        count += 1;
        if bytes < MAX_BYTES {
            let row = Row(row);
            bytes += row.bytes()?;
            kept.push(row);
        }
    }
    Ok(Answer { kept, count })
}

impl Row {
    /// Its place in the outbox.
    ///
    /// # Errors
    /// The column has another type.
    pub fn id(&self) -> Result<i64, sqlx::Error> {
        self.0.try_get(0)
    }

    fn bytes(&self) -> Result<usize, sqlx::Error> {
        let headers = self.headers()?.map_or(0, str::len);
        Ok(self.body()?.len() + headers)
    }
}

/// The other columns. Each fails only when it has another type.
macro_rules! columns {
    ($($name:ident: $index:literal $type:ty, $what:literal;)*) => {
        #[expect(clippy::missing_errors_doc, reason = "said above: the column has another type")]
        impl Row {
            $(#[doc = $what]
            pub fn $name(&self) -> Result<$type, sqlx::Error> {
                self.0.try_get($index)
            })*
        }
    };
}
columns! {
    message_id: 1 Uuid, "The id of the message.";
    key: 2 Uuid, "What the message is about.";
    causation: 3 Option<Uuid>, "The message that it answers.";
    sequence: 4 i64, "The version of the aggregate that speaks.";
    occurred_at: 5 DateTime<Utc>, "When it happened.";
    topic: 6 &str, "Where it goes, without the prefix of the installation.";
    kind: 7 &str, "Its type.";
    traceparent: 8 Option<&str>, "Its trace.";
    headers: 9 Option<&str>, "More headers, as a JSON object of texts.";
    body: 10 &str, "Its data.";
}

fn sql(text: String) -> SqlStr {
    // The only thing in it that is not constant is a shard's number.
    AssertSqlSafe(text).into_sql_str()
}
