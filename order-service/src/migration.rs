//! The tables of this service: those of messaging, of the sagas and of idempotency keys, and `orders`.

use sea_orm_migration::{async_trait::async_trait, prelude::*};

/// How many outbox shards this database has. Half of all messages are an order's: two relays may share them.
const OUTBOX_SHARDS: u16 = 2;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.extend(saga_postgres::migrations());
    all.extend(service::idempotency::migrations());
    all.push(Box::new(Orders));
    all
}

struct Orders;

impl MigrationName for Orders {
    fn name(&self) -> &'static str {
        "m000101_orders"
    }
}

#[async_trait]
impl MigrationTrait for Orders {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("migration/orders.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
