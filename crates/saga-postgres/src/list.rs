//! Many sagas at a glance: those that are stuck, those that wait, those that are old.

use chrono::{DateTime, Utc};
use saga::{Instance, State};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use uuid::Uuid;

use crate::row::{COLUMNS, Saga};

/// Which sagas to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only those in this state; otherwise all that have not ended.
    pub state: Option<State>,
    /// Only those that began before.
    pub started_before: Option<DateTime<Utc>>,
    /// Only those behind this one.
    pub after: Option<Uuid>,
    /// How many at most.
    pub limit: u64,
}

/// One saga at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Its id.
    pub id: Uuid,
    /// How far it has come.
    pub instance: Instance,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When something happened to it the last time.
    pub updated_at: DateTime<Utc>,
}

/// Lists sagas by their ids; where these are UUIDs of version 7, the oldest first.
///
/// # Errors
/// The database's.
pub async fn list(db: &impl ConnectionTrait, filter: Filter) -> Result<Vec<Glance>, DbErr> {
    let Filter {
        state,
        started_before,
        after,
        limit,
    } = filter;
    let states = match state {
        Some(_) => "saga.state = $1",
        None => "$1::text IS NULL AND saga.state NOT IN ('COMPLETED', 'ROLLED_BACK')",
    };
    let statement = format!(
        "SELECT {COLUMNS}, saga.started_at, saga.updated_at FROM sagas saga \
         WHERE {states} AND ($2::timestamptz IS NULL OR saga.started_at < $2) AND ($3::uuid IS NULL OR saga.saga_id > $3) \
         ORDER BY saga.saga_id LIMIT $4"
    );
    let values = [
        state.map(State::as_str).into(),
        started_before.into(),
        after.into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, statement, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(Glance::from_row).collect()
}

impl Glance {
    pub(crate) fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            id: row.try_get("", "saga_id")?,
            instance: Saga::from_row(row)?.instance,
            started_at: row.try_get("", "started_at")?,
            updated_at: row.try_get("", "updated_at")?,
        })
    }
}
