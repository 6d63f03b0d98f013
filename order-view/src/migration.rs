//! The tables of this service: those of messaging, and `order_views`.

use messaging::sql_migration;
use sea_orm_migration::MigrationTrait;

/// How many outbox shards this database has. A view says nothing but dead letters.
const OUTBOX_SHARDS: u16 = 1;

/// The table that is grown, and made anew when it is rebuilt.
pub(crate) const ORDER_VIEWS: &str = include_str!("migration/order_views.sql");

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.push(sql_migration("m000101_order_views", ORDER_VIEWS));
    all.push(sql_migration(
        "m000102_rebuilds",
        include_str!("migration/rebuilds.sql"),
    ));
    all
}
