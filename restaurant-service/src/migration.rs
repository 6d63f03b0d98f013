//! The tables of this service: those of messaging and of idempotency keys, and `restaurants`, `menu_items`, `tickets`.

use messaging::sql_migration;
use sea_orm_migration::MigrationTrait;

/// How many outbox shards this database has. A ticket speaks six times per order: one suffices.
const OUTBOX_SHARDS: u16 = 1;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.extend(service::idempotency::migrations());
    all.push(sql_migration(
        "m000101_restaurants",
        include_str!("migration/restaurants.sql"),
    ));
    all
}
