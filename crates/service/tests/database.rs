//! The database of a service: waiting for it, its settings, and migrations that run once.
#![expect(
    clippy::unwrap_used,
    reason = "test code: what breaks should end the test"
)]

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, FromQueryResult, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};
use service::{Settings, database};
use testing::{Database, Line};
use tokio::net::TcpListener;
use url::Url;

fn settings(url: &str) -> Settings {
    Settings::local("order-service", Some(url))
}

#[derive(Debug, FromQueryResult)]
struct Text {
    value: String,
}

async fn text(db: &DatabaseConnection, sql: &str) -> String {
    let statement = Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    Text::find_by_statement(statement)
        .one(db)
        .await
        .unwrap()
        .unwrap()
        .value
}

#[tokio::test]
async fn postgres_knows_who_is_connected_and_guards_its_patience() {
    let database = Database::new().await;
    let settings = Settings {
        instance: 3,
        ..settings(database.url())
    };
    let db = database::connect(&settings).await.unwrap();
    for (setting, value) in [
        ("application_name", "order-service-3"),
        ("statement_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("client_min_messages", "warning"),
    ] {
        assert_eq!(
            text(
                &db,
                &format!("SELECT current_setting('{setting}') AS value")
            )
            .await,
            value
        );
    }
}

#[tokio::test]
async fn a_postgres_that_is_not_there_yet_is_waited_for() {
    let database = Database::new().await;
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let (server, name) = database.url().rsplit_once('/').unwrap();
    let (user, _) = server.rsplit_once('@').unwrap();
    let settings = settings(&format!("{user}@{address}/{name}"));
    let connecting = tokio::spawn(async move { database::connect(&settings).await });
    tokio::task::yield_now().await;
    let listener = TcpListener::bind(address).await.unwrap();
    let _line = Line::at(listener, database.url());
    let db = connecting.await.unwrap().unwrap();
    assert_eq!(
        text(&db, "SELECT current_database()::text AS value").await,
        name
    );
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_refused_at_once_without_its_password() {
    let database = Database::new().await;
    // A server that asks for no password ignores one; one that asks for it must be given its own.
    let mut url = Url::parse(database.url()).unwrap();
    if url.password().is_none() {
        url.set_password(Some("hunter2")).unwrap();
    }
    let password = url.password().unwrap().to_owned();
    let error = database::connect(&settings(&format!("{url}_missing")))
        .await
        .unwrap_err();
    let error = format!("{error:#}");
    assert!(
        error.starts_with("DATABASE_URL postgres://postgres@") && error.contains("does not exist"),
        "{error}"
    );
    assert!(!error.contains(&password), "{error}");
}

struct Once {
    fails: bool,
}

impl MigrationName for Once {
    fn name(&self) -> &str {
        "m0001_once"
    }
}

#[async_trait]
impl MigrationTrait for Once {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("CREATE TABLE applied (at timestamptz DEFAULT clock_timestamp())")
            .await?;
        // Long enough for every other instance to arrive.
        db.execute_unprepared("INSERT INTO applied DEFAULT VALUES; SELECT pg_sleep(0.1)")
            .await?;
        if self.fails {
            Err(DbErr::Custom("deliberate".to_owned()))
        } else {
            Ok(())
        }
    }
}

fn migrations(fails: bool) -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Once { fails })]
}

async fn applied(db: &DatabaseConnection) -> String {
    text(db, "SELECT count(*)::text AS value FROM applied").await
}

#[tokio::test]
async fn instances_that_start_together_migrate_once() {
    let database = Database::new().await;
    // One connection per pool: the lock must not take it away from the migrations.
    let settings = Settings {
        database_connections: 1,
        ..settings(database.url())
    };
    let instances: Vec<_> = (0..4)
        .map(|_| {
            let settings = settings.clone();
            tokio::spawn(async move {
                let db = database::connect(&settings).await.unwrap();
                database::migrate(&db, migrations(false)).await.map(|()| db)
            })
        })
        .collect();
    for instance in instances {
        let db = instance.await.unwrap().unwrap();
        assert_eq!(applied(&db).await, "1");
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind_and_no_lock() {
    let database = Database::new().await;
    let db = database::connect(&settings(database.url())).await.unwrap();
    let error = database::migrate(&db, migrations(true)).await.unwrap_err();
    assert!(error.to_string().contains("deliberate"), "{error}");
    assert_eq!(
        text(
            &db,
            "SELECT coalesce(to_regclass('applied')::text, 'none') AS value"
        )
        .await,
        "none"
    );
    database::migrate(&db, migrations(false)).await.unwrap();
    assert_eq!(applied(&db).await, "1");
}
