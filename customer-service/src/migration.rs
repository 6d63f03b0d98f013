//! The tables of this service: those of messaging and of idempotency keys, `customers` and `verifications`.

use sea_orm_migration::{async_trait::async_trait, prelude::*};

/// How many outbox shards this database has. A verdict is one message per order: one suffices.
const OUTBOX_SHARDS: u16 = 1;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.extend(service::idempotency::migrations());
    all.push(Box::new(Customers));
    all
}

struct Customers;

impl MigrationName for Customers {
    fn name(&self) -> &'static str {
        "m000101_customers"
    }
}

#[async_trait]
impl MigrationTrait for Customers {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("migration/customers.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
