//! The tables of this service: those of messaging, and `cooks`.

use messaging::sql_migration;
use sea_orm_migration::MigrationTrait;

/// How many outbox shards this database has. A kitchen speaks three times per order: one suffices.
const OUTBOX_SHARDS: u16 = 1;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.push(sql_migration(
        "m000101_cooks",
        include_str!("migration/cooks.sql"),
    ));
    all
}
