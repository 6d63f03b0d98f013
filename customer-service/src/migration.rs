//! The tables of this service: those of messaging and of idempotency keys, `customers` and `verifications`.

use messaging::sql_migration;
use sea_orm_migration::MigrationTrait;

/// How many outbox shards this database has. A verdict is one message per order: one suffices.
const OUTBOX_SHARDS: u16 = 1;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.extend(service::idempotency::migrations());
    all.push(sql_migration(
        "m000101_customers",
        include_str!("migration/customers.sql"),
    ));
    all
}
