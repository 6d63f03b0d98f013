//! The tables of this service: those of messaging and of idempotency keys, `payment_methods`, `payments` and `refunds`.

use messaging::sql_migration;
use sea_orm_migration::MigrationTrait;

/// How many outbox shards this database has. A payment speaks twice per order: one suffices.
const OUTBOX_SHARDS: u16 = 1;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.extend(service::idempotency::migrations());
    all.push(sql_migration(
        "m000101_payments",
        include_str!("migration/payments.sql"),
    ));
    all.push(sql_migration(
        "m000102_refunds",
        include_str!("migration/refunds.sql"),
    ));
    all
}
