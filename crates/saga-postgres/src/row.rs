//! A saga's row: what is stored of an instance, and read back.

use chrono::{DateTime, Utc};
use messaging::{Outgoing, TraceParent};
use saga::{Awaited, Instance, Memory, Purpose};
use sea_orm::{DbErr, QueryResult};

/// The columns that [`Saga::from_row`] reads; the table is called `saga`.
pub(crate) const COLUMNS: &str = "\
saga.saga_id AS saga_id, saga.definition AS saga_definition, saga.version AS saga_version, saga.state AS saga_state, \
saga.step AS saga_step, saga.purpose AS saga_purpose, saga.attempt AS saga_attempt, saga.sent_at AS saga_sent_at, \
saga.command AS saga_command, saga.memory AS saga_memory, saga.records AS saga_records";

/// A saga as it is stored: the instance, and the awaited command word for word.
#[derive(Debug, Clone)]
pub(crate) struct Saga {
    pub(crate) instance: Instance,
    pub(crate) command: Option<Outgoing>,
}

impl Saga {
    /// The trace that the awaited command belongs to.
    pub(crate) fn trace(&self) -> Option<TraceParent> {
        self.command.as_ref()?.traceparent.as_ref()?.parse().ok()
    }

    pub(crate) fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        let command: Option<String> = row.try_get("", "saga_command")?;
        let command = command.as_deref().map(serde_json::from_str::<Outgoing>);
        let command = command.transpose().map_err(unreadable)?;
        let memory: Option<serde_json::Value> = row.try_get("", "saga_memory")?;
        let memory = memory.map(serde_json::from_value::<Memory>).transpose();
        let state: String = row.try_get("", "saga_state")?;
        let instance = Instance {
            definition: row.try_get("", "saga_definition")?,
            version: unsigned(row.try_get("", "saga_version")?)?,
            state: state.parse().map_err(DbErr::Type)?,
            step: row.try_get("", "saga_step")?,
            awaited: command
                .as_ref()
                .map(|command| awaited(row, command))
                .transpose()?,
            records: unsigned(row.try_get("", "saga_records")?)?,
            memory: memory.map_err(unreadable)?.unwrap_or_default(),
        };
        Ok(Self { instance, command })
    }
}

fn awaited(row: &QueryResult, command: &Outgoing) -> Result<Awaited, DbErr> {
    let purpose: String = row.try_get("", "saga_purpose")?;
    let sent_at: DateTime<Utc> = row.try_get("", "saga_sent_at")?;
    Ok(Awaited {
        id: command.id,
        kind: command.kind.clone(),
        purpose: purpose.parse::<Purpose>().map_err(DbErr::Type)?,
        attempt: unsigned(row.try_get("", "saga_attempt")?)?,
        sent_at,
    })
}

/// Postgres has no unsigned numbers.
pub(crate) fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(crate) fn unsigned(number: i32) -> Result<u32, DbErr> {
    u32::try_from(number)
        .map_err(|_| DbErr::Type(format!("{number} is stored, and cannot be negative")))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err passes")]
pub(crate) fn unreadable(error: serde_json::Error) -> DbErr {
    DbErr::Json(error.to_string())
}
