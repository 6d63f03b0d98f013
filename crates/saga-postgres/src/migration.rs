//! The tables of the sagas and of their history.

use sea_orm_migration::prelude::*;

/// The migrations of this crate, to be run before those of the service that owns the data.
#[must_use]
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Sagas)]
}

struct Sagas;

impl MigrationName for Sagas {
    fn name(&self) -> &str {
        "m000011_sagas"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sagas {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = include_str!("migration/sagas.sql");
        manager.get_connection().execute_unprepared(tables).await?;
        Ok(())
    }
}
