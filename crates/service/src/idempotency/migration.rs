//! The table of the keys.

use sea_orm_migration::{async_trait::async_trait, prelude::*};

/// The migrations of this module, to be run after those of messaging.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Keys)]
}

struct Keys;

impl MigrationName for Keys {
    fn name(&self) -> &'static str {
        "m000021_idempotency_keys"
    }
}

#[async_trait]
impl MigrationTrait for Keys {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = include_str!("keys.sql");
        manager.get_connection().execute_unprepared(sql).await?;
        Ok(())
    }
}
