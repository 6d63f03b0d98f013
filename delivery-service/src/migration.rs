//! The tables of this service: those of messaging, and `deliveries`.

use messaging::sql_migration;
use sea_orm_migration::MigrationTrait;

/// How many outbox shards this database has. A delivery speaks twice per order: one suffices.
const OUTBOX_SHARDS: u16 = 1;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.push(sql_migration(
        "m000101_deliveries",
        include_str!("migration/deliveries.sql"),
    ));
    all
}
