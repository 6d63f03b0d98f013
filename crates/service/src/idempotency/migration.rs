//! The table of the keys.

use messaging::sql_migration;
use sea_orm_migration::MigrationTrait;

/// The migrations of this module, to be run after those of messaging.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        sql_migration("m000021_idempotency_keys", include_str!("keys.sql")),
        sql_migration(
            "m000022_idempotency_take_together",
            include_str!("keys_together.sql"),
        ),
        sql_migration("m000023_idempotency_days", include_str!("keys_days.sql")),
    ]
}
