//! Where the past begins that nobody can begin anything in.
//!
//! What makes an effect happen once is the row of its business key. Once a finished row is removed, a very old message that comes
//! again (offsets were lost, topics are read from their beginning) would find no row, and begin it a second time. So there is a
//! moment, kept in the database, before which nothing begins: a message whose key is older, and has no row, is passed over. It
//! never goes back, whatever becomes of the setting; and rows are removed only when it has been behind them for a day,
//! so that every instance knows it by then.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement,
};
use uuid::Uuid;

use super::Finished;
use crate::sql;

/// The moment before which rows of a table may be gone, as this process knows it. Cheap to clone: clones know the same.
#[derive(Debug, Clone)]
pub struct Horizon {
    pub(super) of: Finished,
    /// In milliseconds of Unix time, as in a UUID v7; 0: nothing was ever removed.
    before: Arc<AtomicU64>,
}

impl Horizon {
    /// Reads it: also without a setting it may be there, from a time when there was one.
    ///
    /// # Errors
    /// The database's.
    pub async fn read(db: &DatabaseConnection, of: Finished) -> Result<Self, DbErr> {
        let horizon = Self {
            of,
            before: Arc::default(),
        };
        horizon.refresh(db).await?;
        Ok(horizon)
    }

    /// Reads it again.
    pub(super) async fn refresh(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let select = "SELECT before FROM forgotten WHERE what = $1";
        let select =
            Statement::from_sql_and_values(DbBackend::Postgres, select, [self.of.table.into()]);
        if let Some(row) = db.query_one_raw(select).await? {
            let before: DateTime<Utc> = row.try_get("", "before")?;
            let before = u64::try_from(before.timestamp_millis()).unwrap_or_default();
            self.before.fetch_max(before, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether a row of this key may be gone. A key that holds no time has no age: its row is never removed.
    #[must_use]
    pub fn is_behind(&self, key: Uuid) -> bool {
        let milliseconds = u64::try_from(key.as_u128() >> 80).unwrap_or(u64::MAX);
        milliseconds < self.before.load(Ordering::Relaxed) && key.get_version_num() == 7
    }

    /// Those of `keys` that are behind it and have no row. Where none is behind it nobody is asked. Rows that are there are locked
    /// until the transaction ends: so they are not removed before their messages are handled. In the order of their keys; and
    /// whoever is locked later is younger, so that nobody waits in a circle.
    pub(crate) async fn gone(
        &self,
        db: &DatabaseTransaction,
        keys: impl Iterator<Item = Uuid>,
    ) -> Result<HashSet<Uuid>, DbErr> {
        let mut gone: HashSet<Uuid> = keys.filter(|key| self.is_behind(*key)).collect();
        if gone.is_empty() {
            return Ok(gone);
        }
        let Finished { table, key, .. } = self.of;
        let select = format!(
            "SELECT {key} FROM {table} WHERE {key} = ANY($1::uuid[]) ORDER BY {key} FOR UPDATE"
        );
        let values = [sql::uuids(gone.iter().copied())];
        let select = Statement::from_sql_and_values(DbBackend::Postgres, select, values);
        for row in db.query_all_raw(select).await? {
            gone.remove(&row.try_get_by_index::<Uuid>(0)?);
        }
        Ok(gone)
    }
}
