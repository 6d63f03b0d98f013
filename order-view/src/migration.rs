//! The tables of this service: those of messaging, and `order_views`.

use sea_orm_migration::{async_trait::async_trait, prelude::*};

/// How many outbox shards this database has. A view says nothing but dead letters.
const OUTBOX_SHARDS: u16 = 1;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.push(Box::new(OrderViews));
    all
}

struct OrderViews;

impl MigrationName for OrderViews {
    fn name(&self) -> &'static str {
        "m000101_order_views"
    }
}

#[async_trait]
impl MigrationTrait for OrderViews {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("migration/order_views.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
