//! A migration that is a file of SQL.

use sea_orm_migration::prelude::*;

/// A migration that is a file of SQL: `sql_migration("m000101_orders", include_str!("migration/orders.sql"))`.
///
/// `name` orders it among the others and is what the database remembers; `sql` may be several statements.
#[must_use]
pub fn sql_migration(name: &'static str, sql: &'static str) -> Box<dyn MigrationTrait> {
    Box::new(Sql { name, sql })
}

struct Sql {
    name: &'static str,
    sql: &'static str,
}

impl MigrationName for Sql {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Sql {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(self.sql)
            .await?;
        Ok(())
    }
}
