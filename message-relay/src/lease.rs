//! Who may move the cursor of a shard: lease and cursor are one row, and every change proves the ownership.

use std::time::Duration;

use sea_orm::sqlx::{self, PgConnection, Row};

use crate::{
    cursor::Cursor,
    database::{Error, within},
    ranges::Ranges,
};

/// How long a lease lasts after it was renewed: a standby takes over so much later.
pub const TTL: Duration = Duration::from_millis(900);
/// How often a lease is renewed, and how often a standby looks.
pub const RENEW: Duration = Duration::from_millis(300);

const ACQUIRE: &str = "
    UPDATE relay.shard
    SET owner = $2, epoch = epoch + 1, expires_at = clock_timestamp() + $3 * interval '1 ms'
    WHERE shard = $1 AND (owner = $2 OR expires_at < clock_timestamp())
    RETURNING epoch, position, holes::text";
const ADVANCE: &str = "
    UPDATE relay.shard
    SET position = $3, holes = $4::text::int8multirange, expires_at = clock_timestamp() + $5 * interval '1 ms'
    WHERE shard = $1 AND epoch = $2";
const RELEASE: &str = "
    UPDATE relay.shard SET owner = NULL, expires_at = '-infinity' WHERE shard = $1 AND epoch = $2";
const LOOK: &str = "
    SELECT owner, epoch, position, holes::text, coalesce(owner = $2, true) OR expires_at < clock_timestamp() AS free,
        ceil(extract(epoch FROM
            least(greatest(expires_at, clock_timestamp()), clock_timestamp() + interval '1 minute') - clock_timestamp()
        ) * 1000)::bigint AS left
    FROM relay.shard WHERE shard = $1";

/// The right to move one shard's cursor, until somebody else has taken it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    shard: i16,
    epoch: i64,
}

/// A shard's row, as a standby sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Who holds the lease, or held it last.
    pub owner: Option<String>,
    /// How often it changed hands.
    pub epoch: i64,
    /// What was published.
    pub cursor: Cursor,
    /// Whether it can be had.
    pub free: bool,
    /// How long it lasts if nobody renews it; a minute at most.
    pub left: Duration,
}

impl Seen {
    /// When a standby looks again: as often as owners renew, and when the lease ends, if that is sooner. So it takes over
    /// from a dead owner after one lease at most, and not after one lease and one look.
    #[must_use]
    pub fn next_look(&self) -> Duration {
        // A millisecond later it has ended by the database's clock, too.
        RENEW.min(self.left + Duration::from_millis(1))
    }
}

impl Lease {
    /// Takes the lease, with the cursor where the last owner left it, unless another owner holds it.
    ///
    /// `owner` is a name that a restarted process has again, so that it need not wait for its own lease to expire.
    ///
    /// # Errors
    /// The database is away, or has no such shard.
    pub async fn acquire(
        db: &mut PgConnection,
        shard: i16,
        owner: &str,
    ) -> Result<Option<(Self, Cursor)>, Error> {
        let acquire = sqlx::query(ACQUIRE)
            .bind(shard)
            .bind(owner)
            .bind(millis(TTL));
        let Some(row) = within(acquire.fetch_optional(db)).await? else {
            return Ok(None);
        };
        let lease = Self {
            shard,
            epoch: row.try_get(0)?,
        };
        Ok(Some((
            lease,
            Cursor::new(row.try_get(1)?, &ranges(row.try_get(2)?)?),
        )))
    }

    /// Moves the cursor and renews the lease. Gives `false` when the lease was lost: nothing was moved then, and nothing
    /// may be done any more.
    ///
    /// # Errors
    /// The database is away; whether the cursor was moved is open.
    pub async fn advance(&self, db: &mut PgConnection, cursor: &Cursor) -> Result<bool, Error> {
        let advance = sqlx::query(ADVANCE)
            .bind(self.shard)
            .bind(self.epoch)
            .bind(cursor.position())
            .bind(cursor.holes().to_string())
            .bind(millis(TTL));
        Ok(within(advance.execute(db)).await?.rows_affected() == 1)
    }

    /// Gives the lease back, so that a standby need not wait until it expires.
    ///
    /// # Errors
    /// The database is away; the lease will expire.
    pub async fn release(self, db: &mut PgConnection) -> Result<(), Error> {
        let release = sqlx::query(RELEASE).bind(self.shard).bind(self.epoch);
        within(release.execute(db)).await.map(drop)
    }

    /// The shard that it is for.
    #[must_use]
    pub const fn shard(&self) -> i16 {
        self.shard
    }

    /// How often the lease had changed hands when it was taken: the fencing token.
    #[must_use]
    pub const fn epoch(&self) -> i64 {
        self.epoch
    }
}

/// Looks at a shard without touching it.
///
/// # Errors
/// The database is away, or has no such shard.
pub async fn look(db: &mut PgConnection, shard: i16, me: &str) -> Result<Seen, Error> {
    let row = within(sqlx::query(LOOK).bind(shard).bind(me).fetch_one(db)).await?;
    Ok(Seen {
        owner: row.try_get(0)?,
        epoch: row.try_get(1)?,
        cursor: Cursor::new(row.try_get(2)?, &ranges(row.try_get(3)?)?),
        free: row.try_get(4)?,
        left: Duration::from_millis(row.try_get::<i64, _>(5)?.try_into().unwrap_or(0)),
    })
}

/// The shards of a database, each with a sequence that this relay can reason about.
///
/// # Errors
/// The database is away, has no outbox yet, or one whose ids are not in the order in which they were taken.
pub async fn shards(db: &mut PgConnection) -> Result<Vec<i16>, Error> {
    let sql = "SELECT shard, seqcache = 1 AND NOT seqcycle
               FROM relay.shard LEFT JOIN pg_sequence ON seqrelid = to_regclass('outbox_s' || shard || '_id')
               ORDER BY shard";
    let rows = within(sqlx::query(sql).fetch_all(db)).await?;
    let mut shards = Vec::with_capacity(rows.len());
    for row in rows {
        let shard: i16 = row.try_get(0)?;
        if row.try_get::<Option<bool>, _>(1)? != Some(true) {
            return Err(Error::Unfit(format!(
                "sequence outbox_s{shard}_id is missing, or is not CACHE 1 NO CYCLE: its ids would not be in order"
            )));
        }
        shards.push(shard);
    }
    if shards.is_empty() {
        return Err(Error::Unfit(
            "relay.shard is empty: add a shard to the outbox".to_owned(),
        ));
    }
    Ok(shards)
}

fn ranges(text: &str) -> Result<Ranges, Error> {
    text.parse()
        .map_err(|error| Error::Unfit(format!("relay.shard.holes: {error}")))
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
