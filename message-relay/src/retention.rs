//! Empties leaves of the outbox behind the cursor. Truncating costs the same for one row as for sixty thousand.
//!
//! The rows of a shard lie in a ring of four leaves, 65,536 ids in each before the next one's turn, so that writers have
//! moved on from a leaf when it is emptied. A leaf is also emptied when the outbox is quiet: what was published is gone.

use std::time::Duration;

use sea_orm::sqlx::{self, AssertSqlSafe, Connection, PgConnection, Row, SqlSafeStr, SqlStr};
use tokio::time::Instant;

use crate::{
    cursor::Cursor,
    database::{Error, within},
    lease::Lease,
};

/// The number of leaves of a shard.
const LEAVES: usize = 4;
/// The binary logarithm of the ids that a leaf holds before the next one's turn.
const SEGMENT: u32 = 16;
/// An outbox in which nothing happened for so long is quiet.
const QUIET: Duration = Duration::from_millis(1_500);
/// Later than anything else that may happen.
const FAR: Duration = Duration::from_secs(3_600);
/// What could not be emptied is tried again after this.
const RETRY: Duration = Duration::from_millis(250);
/// What Postgres says when somebody else holds the lock.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Which leaves may hold published rows, and when to see to them.
#[derive(Debug)]
pub(crate) struct Retention {
    /// The position up to which each leaf was last found empty, or emptied.
    emptied: [Option<i64>; LEAVES],
    /// When the cursor last moved, and where to.
    moved: (Instant, i64),
    next: Instant,
}

impl Retention {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            emptied: [None; LEAVES],
            moved: (now, 0),
            next: now,
        }
    }

    /// When to ask again, given nothing else happens. While `busy` there is nothing to wait for: not before something has landed,
    /// which is a reason to ask of its own, can more be empty than at the last time.
    pub(crate) fn next(&self, busy: bool) -> Instant {
        let emptied = |leaf: &Option<i64>| *leaf == Some(self.moved.1);
        if busy || self.emptied.iter().all(emptied) {
            return self.moved.0.max(self.next) + FAR;
        }
        self.next.max(self.moved.0 + QUIET)
    }

    /// The leaves to see to now. `saved` is the cursor as the database has it; `busy`: more is known to be under way.
    pub(crate) fn due(&mut self, now: Instant, saved: &Cursor, busy: bool) -> Vec<usize> {
        let position = saved.position();
        if position != self.moved.1 {
            self.moved = (now, position);
        }
        if now < self.next {
            return Vec::new();
        }
        let quiet = !busy && now.duration_since(self.moved.0) >= QUIET;
        let due: Vec<_> = (0..LEAVES)
            .filter(|leaf| self.is_due(*leaf, position, quiet))
            .collect();
        if !due.is_empty() {
            self.next = now + RETRY;
        }
        due
    }

    /// A leaf is due when the cursor has moved into it and out again, or when all is quiet.
    fn is_due(&self, leaf: usize, position: i64, quiet: bool) -> bool {
        let Some(emptied) = self.emptied[leaf] else {
            return quiet || leaf != leaf_of(position);
        };
        if quiet {
            return emptied < position;
        }
        leaf != leaf_of(position)
            && (emptied >> SEGMENT..position >> SEGMENT)
                .any(|segment| leaf_of(segment << SEGMENT) == leaf)
    }

    /// A row below the cursor was published: any leaf may hold rows again.
    pub(crate) const fn late_row(&mut self, now: Instant) {
        self.emptied = [None; LEAVES];
        self.moved.0 = now;
    }

    /// `leaf` holds no row up to `position`.
    pub(crate) fn emptied(&mut self, leaf: usize, position: i64) {
        self.emptied[leaf] = Some(position);
    }
}

fn leaf_of(id: i64) -> usize {
    usize::try_from((id >> SEGMENT) & 3).unwrap_or(0)
}

/// The statements for one leaf.
#[derive(Debug)]
struct Leaf {
    lock: SqlStr,
    published: SqlStr,
    truncate: SqlStr,
}

impl Leaf {
    fn new(shard: i16, leaf: usize) -> Self {
        let table = format!("outbox_s{shard}_r{leaf}");
        // Names cannot be parameters; the only parts that vary are two small numbers.
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        Self {
            lock: sql(format!(
                "LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT"
            )),
            published: sql(format!(
                "SELECT EXISTS (SELECT FROM {table}),
                    NOT EXISTS (SELECT FROM {table} WHERE id > shard.position)
                    AND NOT EXISTS (SELECT FROM unnest(shard.holes) AS hole
                                    JOIN {table} ON id >= lower(hole) AND id < upper(hole))
                 FROM relay.shard WHERE shard = $1 AND epoch = $2"
            )),
            truncate: sql(format!("TRUNCATE {table}")),
        }
    }

    /// Whether there are rows, and whether all of them are published.
    async fn state(&self, db: &mut PgConnection, lease: &Lease) -> Result<(bool, bool), Error> {
        let state = sqlx::query(self.published.clone())
            .bind(lease.shard())
            .bind(lease.epoch());
        match within(state.fetch_optional(db)).await? {
            Some(row) => Ok((row.try_get(0)?, row.try_get(1)?)),
            // The lease is lost: leave it to the new owner.
            None => Ok((true, false)),
        }
    }
}

/// What became of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There was nothing in it.
    WasEmpty,
    /// It is empty now.
    Truncated,
    /// It has rows that are not published, or somebody is writing into it.
    NotYet,
}

/// Empties a leaf if all its rows are published. Waits for nobody: a writer in the leaf is
/// left in peace, and one that comes while the leaf is emptied waits for a few milliseconds.
///
/// The check that counts is made under a lock that no writer of this leaf can hold at the same time, in a snapshot that is
/// taken after it: every row of the leaf is visible then, and all are published by the cursor as the database has it,
/// whatever this process believes. A row that comes later finds an empty leaf, and stays in it.
pub(crate) async fn empty(
    db: &mut PgConnection,
    lease: &Lease,
    leaf: usize,
) -> Result<Outcome, Error> {
    let sql = Leaf::new(lease.shard(), leaf);
    match sql.state(db, lease).await? {
        (false, _) => return Ok(Outcome::WasEmpty),
        (true, false) => return Ok(Outcome::NotYet),
        (true, true) => {}
    }
    let mut tx = within(db.begin()).await?;
    if let Err(error) = within(sqlx::query(sql.lock.clone()).execute(&mut *tx)).await {
        within(tx.rollback()).await?;
        return if is_busy(&error) {
            Ok(Outcome::NotYet)
        } else {
            Err(error)
        };
    }
    let (_, published) = sql.state(&mut tx, lease).await?;
    if !published {
        within(tx.rollback()).await?;
        return Ok(Outcome::NotYet);
    }
    within(sqlx::query(sql.truncate).execute(&mut *tx)).await?;
    within(tx.commit()).await?;
    Ok(Outcome::Truncated)
}

fn is_busy(error: &Error) -> bool {
    matches!(error, Error::Database(sqlx::Error::Database(error)) if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranges::Ranges;

    fn at(position: i64) -> Cursor {
        Cursor::new(position, &Ranges::default())
    }

    #[test]
    fn a_leaf_is_due_when_the_cursor_has_left_it() {
        let start = Instant::now();
        let mut retention = Retention::new(start);
        (0..LEAVES).for_each(|leaf| retention.emptied(leaf, 0));
        assert!(retention.due(start, &at(65_535), true).is_empty());
        assert_eq!(retention.due(start, &at(65_536), true), [0]);
        retention.emptied(0, 65_536);
        assert!(retention.due(start + RETRY, &at(70_000), true).is_empty());
        assert_eq!(retention.due(start + RETRY, &at(3 << 16), true), [1, 2]);
    }

    #[test]
    fn when_all_is_quiet_every_leaf_is_due_once() {
        let start = Instant::now();
        let mut retention = Retention::new(start);
        (0..LEAVES).for_each(|leaf| retention.emptied(leaf, 0));
        assert!(retention.due(start, &at(7), false).is_empty());
        assert!(retention.due(start + QUIET, &at(7), true).is_empty());
        assert_eq!(retention.due(start + QUIET, &at(7), false), [0, 1, 2, 3]);
        (0..LEAVES).for_each(|leaf| retention.emptied(leaf, 7));
        assert!(retention.due(start + QUIET * 2, &at(7), false).is_empty());
    }

    #[test]
    fn while_kafka_stands_still_with_rows_on_their_way_there_is_nothing_to_wake_up_for() {
        let start = Instant::now();
        let mut retention = Retention::new(start);
        (0..LEAVES).for_each(|leaf| retention.emptied(leaf, 0));
        assert!(retention.due(start, &at(7), true).is_empty());
        let later = start + QUIET * 100;
        assert!(retention.due(later, &at(7), true).is_empty());
        assert!(retention.next(true) > later);
        assert!(retention.next(false) <= later);
    }

    #[test]
    fn after_a_start_every_leaf_is_looked_at() {
        let start = Instant::now();
        assert_eq!(Retention::new(start).due(start, &at(7), true), [1, 2, 3]);
    }
}
