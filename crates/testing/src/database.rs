//! A database of its own for a test.

use std::time::Duration;

use messaging::{Doorbell, Store};
use sea_orm::{ConnectOptions, ConnectionTrait, Database as SeaOrm, DatabaseConnection};
use sea_orm_migration::{MigrationTrait, SchemaManager};

use crate::{Line, Servers};

/// The migrations of a service, in their order.
pub type Migrations = Vec<Box<dyn MigrationTrait>>;

/// A new database, dropped with this value.
#[derive(Debug)]
pub struct Database {
    admin: String,
    name: String,
    url: String,
}

impl Database {
    /// An empty database.
    ///
    /// # Panics
    /// The server does not answer.
    pub async fn new() -> Self {
        let admin = Servers::get().await.database_url.clone();
        let name = format!("test_{}", ambient::new_id().simple());
        let connection = SeaOrm::connect(&admin)
            .await
            .expect("the test server answers");
        let create = format!("CREATE DATABASE {name}");
        connection
            .execute_unprepared(&create)
            .await
            .expect("a database can be created");
        let url = with_database(&admin, &name);
        Self { admin, name, url }
    }

    /// A database with the tables of `migrations`. The tables of messaging come first where a service's list has them.
    ///
    /// # Panics
    /// The server does not answer, or a migration fails.
    pub async fn migrated(migrations: Migrations) -> Self {
        let database = Self::new().await;
        let connection = database.connect(1).await;
        let manager = SchemaManager::new(&connection);
        for migration in migrations {
            migration
                .up(&manager)
                .await
                .unwrap_or_else(|error| panic!("migration {}: {error}", migration.name()));
        }
        database
    }

    /// The URL with which a process reaches it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A pool of at most `connections`.
    ///
    /// # Panics
    /// The server does not answer.
    pub async fn connect(&self, connections: u32) -> DatabaseConnection {
        connect(&self.url, connections).await
    }

    /// A store on it, whose doorbell nobody hears.
    ///
    /// # Panics
    /// The server does not answer, or the tables of messaging are missing.
    pub async fn store(&self) -> Store {
        store(&self.url).await
    }

    /// A store on it that reaches it over a line.
    ///
    /// # Panics
    /// The server does not answer, or the tables of messaging are missing.
    pub async fn store_over_a_line(&self) -> (Store, Line) {
        let line = Line::to(&self.url).await;
        (store(line.url()).await, line)
    }
}

async fn connect(url: &str, connections: u32) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        .sqlx_logging(false);
    SeaOrm::connect(options)
        .await
        .expect("the test database answers")
}

async fn store(url: &str) -> Store {
    Store::new(connect(url, 8).await, Doorbell::silent())
        .await
        .expect("the tables of messaging are there")
}

impl Drop for Database {
    /// In a thread with a runtime of its own: a value is dropped wherever the test ends.
    fn drop(&mut self) {
        let (admin, drop) = (
            self.admin.clone(),
            format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        );
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let connection = SeaOrm::connect(&admin).await?;
                connection.execute_unprepared(&drop).await?;
                connection.close().await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            tracing::warn!(name = self.name, "the test database was not dropped");
        }
    }
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url
        .rsplit_once('/')
        .expect("a database URL names a database");
    format!("{server}/{name}")
}
