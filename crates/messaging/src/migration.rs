//! The tables that every service shares: outbox with the relay's cursor, inbox, parked messages and their lines, and what is forgotten.

use sea_orm_migration::prelude::*;

use crate::sql_migration;

/// The migrations of this crate, to be run before a service's own.
///
/// `shards` is the number of outbox shards, each of which can be drained by a relay of its own; it is fixed once
/// messages flow, because a key has to stay in its shard.
#[must_use]
pub fn migrations(shards: u16) -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(Outbox {
            shards: Ord::max(shards, 1),
        }),
        sql_migration("m000002_inbox", include_str!("migration/inbox.sql")),
        sql_migration(
            "m000003_parked_line",
            include_str!("migration/parked_line.sql"),
        ),
        sql_migration("m000004_forgotten", include_str!("migration/forgotten.sql")),
        sql_migration(
            "m000005_append_only",
            include_str!("migration/append_only.sql"),
        ),
    ]
}

struct Outbox {
    shards: u16,
}

impl MigrationName for Outbox {
    fn name(&self) -> &str {
        "m000001_outbox"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Outbox {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(include_str!("migration/outbox.sql"))
            .await?;
        for shard in 0..self.shards {
            db.execute_unprepared(&format!("SELECT outbox_add_shard({shard}::smallint)"))
                .await?;
        }
        db.execute_unprepared(include_str!("migration/grants.sql"))
            .await?;
        Ok(())
    }
}
