//! One saga from its beginning.

use saga::{Ordered, Record};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement};
use uuid::Uuid;

use crate::{
    Glance,
    row::{COLUMNS, unsigned},
};

/// One saga from its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// How far it has come.
    pub glance: Glance,
    /// What happened to it, in its order.
    pub records: Vec<Record>,
}

/// Tells the saga `id`, all of it at one moment. `None`: there is no such saga.
///
/// # Errors
/// The database's.
pub async fn story(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Story>, DbErr> {
    let statement = format!(
        "SELECT {COLUMNS}, saga.started_at, saga.updated_at, record.number, record.attempt, record.at, record.message_id, \
         record.step, record.what, record.kind, record.ordered_by, record.ordered_why FROM sagas saga \
         LEFT JOIN saga_history record ON record.saga_id = saga.saga_id WHERE saga.saga_id = $1 ORDER BY record.number"
    );
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, statement, [id.into()]);
    let rows = db.query_all_raw(statement).await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Story {
        glance: Glance::from_row(first)?,
        records: rows
            .iter()
            .filter_map(|row| record(row).transpose())
            .collect::<Result<_, _>>()?,
    }))
}

/// A saga that began by waiting, or whose history is forgotten, has a row without a record.
fn record(row: &QueryResult) -> Result<Option<Record>, DbErr> {
    let Some(number) = row.try_get::<Option<i32>>("", "number")? else {
        return Ok(None);
    };
    let what: String = row.try_get("", "what")?;
    Ok(Some(Record {
        number: unsigned(number)?,
        at: row.try_get("", "at")?,
        step: row.try_get("", "step")?,
        what: what.parse().map_err(DbErr::Type)?,
        message: row.try_get("", "message_id")?,
        kind: row.try_get("", "kind")?,
        attempt: unsigned(row.try_get("", "attempt")?)?,
        ordered: ordered(row)?,
    }))
}

fn ordered(row: &QueryResult) -> Result<Option<Ordered>, DbErr> {
    let by: Option<String> = row.try_get("", "ordered_by")?;
    let why: Option<String> = row.try_get("", "ordered_why")?;
    Ok(by.zip(why).map(|(by, why)| Ordered { by, why }))
}
