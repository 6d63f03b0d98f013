//! The tables of the simulator.

use sea_orm_migration::{async_trait::async_trait, prelude::*};

/// All migrations, in their order.
#[must_use]
pub fn all() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Ledger)]
}

struct Ledger;

impl MigrationName for Ledger {
    fn name(&self) -> &'static str {
        "m000101_ledger"
    }
}

#[async_trait]
impl MigrationTrait for Ledger {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("migration/ledger.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
