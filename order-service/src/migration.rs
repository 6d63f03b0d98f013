//! The tables of this service: those of messaging, of the sagas and of idempotency keys, and `orders`.

use messaging::sql_migration;
use sea_orm_migration::MigrationTrait;

/// How many outbox shards this database has. Half of all messages are an order's: two relays may share them.
const OUTBOX_SHARDS: u16 = 2;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.extend(saga_postgres::migrations());
    all.extend(service::idempotency::migrations());
    all.push(sql_migration(
        "m000101_orders",
        include_str!("migration/orders.sql"),
    ));
    all.push(sql_migration(
        "m000102_cancelling",
        include_str!("migration/cancelling.sql"),
    ));
    all
}
