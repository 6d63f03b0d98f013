//! The tables of this service: those of messaging, and `cooks`.

use sea_orm_migration::{async_trait::async_trait, prelude::*};

/// How many outbox shards this database has. A kitchen speaks three times per order: one suffices.
const OUTBOX_SHARDS: u16 = 1;

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    let mut all = messaging::migrations(OUTBOX_SHARDS);
    all.push(Box::new(Cooks));
    all
}

struct Cooks;

impl MigrationName for Cooks {
    fn name(&self) -> &'static str {
        "m000101_cooks"
    }
}

#[async_trait]
impl MigrationTrait for Cooks {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("migration/cooks.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
