//! The tables of the sagas and of their history.

use messaging::sql_migration;
use sea_orm_migration::MigrationTrait;

/// The migrations of this crate, to be run before those of the service that owns the data.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        sql_migration("m000011_sagas", include_str!("migration/sagas.sql")),
        sql_migration("m000012_operators", include_str!("migration/operators.sql")),
        sql_migration(
            "m000013_history_by_day",
            include_str!("migration/history_by_day.sql"),
        ),
    ]
}
