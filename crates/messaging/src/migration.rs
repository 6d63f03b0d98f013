//! The tables that every service shares: outbox with the relay's cursor, inbox, parked messages and their lines.

use sea_orm_migration::prelude::*;

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
        Box::new(Inbox),
        Box::new(ParkedLine),
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

struct Inbox;

impl MigrationName for Inbox {
    fn name(&self) -> &str {
        "m000002_inbox"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Inbox {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(include_str!("migration/inbox.sql"))
            .await?;
        Ok(())
    }
}

struct ParkedLine;

impl MigrationName for ParkedLine {
    fn name(&self) -> &str {
        "m000003_parked_line"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ParkedLine {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .get_connection()
            .execute_unprepared(include_str!("migration/parked_line.sql"))
            .await?;
        Ok(())
    }
}
