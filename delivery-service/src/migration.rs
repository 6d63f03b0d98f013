//! The tables of this service: those of messaging, and `deliveries`.

use sea_orm_migration::{async_trait::async_trait, prelude::*};

/// How many outbox shards this database has. A delivery speaks twice per order: one suffices.
const OUTBOX_SHARDS: u16 = 1;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.push(Box::new(Deliveries));
    all
}

struct Deliveries;

impl MigrationName for Deliveries {
    fn name(&self) -> &'static str {
        "m000101_deliveries"
    }
}

#[async_trait]
impl MigrationTrait for Deliveries {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("migration/deliveries.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
