//! The tables of this service: those of messaging and of idempotency keys, and `restaurants`, `menu_items`, `tickets`.

use sea_orm_migration::{async_trait::async_trait, prelude::*};

/// How many outbox shards this database has. A ticket speaks six times per order: one suffices.
const OUTBOX_SHARDS: u16 = 1;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.extend(service::idempotency::migrations());
    all.push(Box::new(Restaurants));
    all
}

struct Restaurants;

impl MigrationName for Restaurants {
    fn name(&self) -> &'static str {
        "m000101_restaurants"
    }
}

#[async_trait]
impl MigrationTrait for Restaurants {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("migration/restaurants.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
