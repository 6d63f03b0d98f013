//! How a service keeps the data that its sagas work on.

use saga::Process;
use sea_orm::{DbErr, QueryResult, Value};
use uuid::Uuid;

/// The data of a saga, and how it is kept in a table of its own.
///
/// The table is loaded by a join with the sagas, and written in the same statement as they are: give the columns and
/// the writes, and the rest is done in one round trip for a whole batch.
pub trait Data: Process + Send + Sync {
    /// The table.
    const TABLE: &'static str;
    /// Its primary key: the saga's id, which is also the key of the saga's messages.
    const KEY: &'static str;
    /// The columns that [`from_row`](Self::from_row) reads, each as `data.<column>`, separated by commas.
    const COLUMNS: &'static str;

    /// The saga's id.
    fn key(&self) -> Uuid;

    /// Reads the columns.
    ///
    /// # Errors
    /// A column holds what this version cannot read.
    fn from_row(row: &QueryResult) -> Result<Self, DbErr>;

    /// The statement that adds rows.
    ///
    /// # Errors
    /// A value cannot be written.
    fn insert(rows: &[&Self]) -> Result<Fragment, DbErr>;

    /// The statement that changes rows.
    ///
    /// # Errors
    /// A value cannot be written.
    fn update(rows: &[&Self]) -> Result<Fragment, DbErr>;
}

/// A statement whose parameters are numbered from `$1`: it becomes a part of a larger one. It has one shape, whatever the
/// number of rows (`UNNEST` of arrays), so that the database prepares it once.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// The statement.
    pub sql: &'static str,
    /// Its parameters.
    pub values: Vec<Value>,
}
