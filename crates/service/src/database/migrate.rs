//! Runs migrations, once, however many instances of a service start at the same time.

use std::sync::Arc;

use sea_orm::{
    DatabaseConnection, DbErr, RuntimeErr,
    sqlx::{self, ConnectOptions, Connection, PgConnection},
};
use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTraitSelf, SchemaManager, async_trait::async_trait,
};

/// The key of the advisory lock; a lock of one database does not meet those of others.
const LOCK: i64 = i64::from_be_bytes(*b"migrate\0");

/// Applies those of `migrations` that this database has not seen, each in a transaction.
///
/// Only one process at a time: the others wait, and then find nothing to do.
///
/// # Errors
/// A migration failed (and was rolled back), the database knows a migration that is not among these, or is gone.
pub async fn migrate(
    db: &DatabaseConnection,
    migrations: Vec<Box<dyn MigrationTrait>>,
) -> Result<(), DbErr> {
    let lock = lock(db).await.map_err(failed)?;
    let migrations = migrations
        .into_iter()
        .map(|migration| Shared(Arc::from(migration)))
        .collect();
    Migrator { migrations }.up(db, None).await?;
    // Whoever fails before this line loses the lock with the connection.
    lock.close().await.map_err(failed)
}

/// Takes the lock on a connection of its own: the migrations run on the pool, which may have one connection only.
async fn lock(db: &DatabaseConnection) -> Result<PgConnection, sqlx::Error> {
    let options = db.get_postgres_connection_pool().connect_options();
    let mut connection = options.connect().await?;
    sqlx::query("SET statement_timeout = 0")
        .execute(&mut connection)
        .await?;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut connection)
        .await?;
    Ok(connection)
}

fn failed(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

struct Migrator {
    migrations: Vec<Shared>,
}

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        self.migrations
            .iter()
            .map(|migration| Box::new(migration.clone()) as _)
            .collect()
    }
}

/// A migration that can be handed out more than once, as the migrator asks.
#[derive(Clone)]
struct Shared(Arc<dyn MigrationTrait>);

impl MigrationName for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }
}

#[async_trait]
impl MigrationTrait for Shared {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.up(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.down(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        self.0.use_transaction()
    }
}
