//! A database per service, owned by a role of its own; the relay may visit those with an outbox.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement};

use crate::processes::{self, RELAY, SERVICES};
use crate::secrets::Secrets;

/// Creates roles and databases that are missing, and sets every role's password.
pub(crate) async fn create(admin_url: &str, secrets: &Secrets) -> anyhow::Result<()> {
    let db = connect(admin_url).await?;
    for role in processes::roles() {
        create_role(&db, role, secrets.password(role)?).await?;
    }
    for database in SERVICES.iter().filter_map(|service| service.database) {
        create_database(&db, database).await?;
    }
    for (_, database) in processes::sources() {
        db.execute_unprepared(&format!("GRANT CONNECT ON DATABASE {database} TO {RELAY}"))
            .await?;
    }
    Ok(db.close().await?)
}

/// One connection, for a few statements.
pub(crate) async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await
}

async fn create_role(db: &DatabaseConnection, role: &str, password: &str) -> Result<(), DbErr> {
    if !exists(db, "SELECT 1 FROM pg_roles WHERE rolname = $1", role).await? {
        db.execute_unprepared(&format!("CREATE ROLE {role}"))
            .await?;
    }
    // DDL takes no parameters; a quote in a password is doubled as SQL wants it.
    let password = password.replace('\'', "''");
    db.execute_unprepared(&format!("ALTER ROLE {role} LOGIN PASSWORD '{password}'"))
        .await?;
    Ok(())
}

async fn create_database(db: &DatabaseConnection, name: &str) -> Result<(), DbErr> {
    if !exists(db, "SELECT 1 FROM pg_database WHERE datname = $1", name).await? {
        // An administrator who is no superuser must be a member of the role it gives a database to.
        db.execute_unprepared(&format!("GRANT {name} TO CURRENT_USER"))
            .await?;
        db.execute_unprepared(&format!("CREATE DATABASE {name} OWNER {name}"))
            .await?;
    }
    db.execute_unprepared(&format!(
        "REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC"
    ))
    .await?;
    Ok(())
}

async fn exists(db: &DatabaseConnection, question: &str, name: &str) -> Result<bool, DbErr> {
    let question =
        Statement::from_sql_and_values(db.get_database_backend(), question, [name.into()]);
    Ok(db.query_one_raw(question).await?.is_some())
}
