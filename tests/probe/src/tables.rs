//! Asks databases, as whoever the given URL says.

use anyhow::Context;
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, Value as SqlValue,
};
use serde_json::Value;

/// A query, or other statements.
#[derive(Debug, clap::Args)]
pub(crate) struct Query {
    /// postgres://…
    url: String,
    /// SQL; `-`: that on standard input, which may be longer than an argument can be
    sql: String,
}

impl Query {
    fn sql(&self) -> anyhow::Result<String> {
        Ok(match self.sql.as_str() {
            "-" => std::io::read_to_string(std::io::stdin())?,
            given => given.to_owned(),
        })
    }
}

/// A search through a whole database.
#[derive(Debug, clap::Args)]
pub(crate) struct Search {
    /// postgres://…
    url: String,
    /// What to look for
    #[arg(required = true)]
    texts: Vec<String>,
}

/// The rows of one SELECT, as an array of objects.
///
/// # Errors
/// The database's, or standard input cannot be read.
pub(crate) async fn query(args: &Query) -> anyhow::Result<Value> {
    rows(&Database::connect(&args.url).await?, &args.sql()?, []).await
}

/// Executes statements that have no rows.
///
/// # Errors
/// The database's, or standard input cannot be read.
pub(crate) async fn execute(args: &Query) -> anyhow::Result<()> {
    let db = Database::connect(&args.url).await?;
    db.execute_unprepared(&args.sql()?).await?;
    Ok(())
}

/// The tables that hold one of the texts, each with the number of its rows that do.
///
/// # Errors
/// The database's.
pub(crate) async fn search(args: &Search) -> anyhow::Result<Value> {
    let db = Database::connect(&args.url).await?;
    let tables = "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables \
                  WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY name";
    // A row as text shows bytes as hexadecimal digits.
    let hex = |text: &String| -> String { text.bytes().map(|b| format!("{b:02x}")).collect() };
    // Backwards, so that what is looked for gets into no log: Postgres writes slow queries down with their parameters.
    let backwards = |text: String| text.chars().rev().collect::<String>();
    let needles: Vec<String> = args
        .texts
        .iter()
        .flat_map(|text| [text.clone(), hex(text)].map(backwards))
        .collect();
    let needles = Value::from(needles).to_string();
    let mut found = Vec::new();
    for table in rows(&db, tables, [])
        .await?
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = table["name"].as_str().unwrap_or_default();
        let sql = format!(
            "WITH wanted AS MATERIALIZED (SELECT reverse(text) AS text FROM jsonb_array_elements_text($1::jsonb) AS text) \
             SELECT '{name}' AS \"table\", count(*) AS rows \
             FROM (SELECT line::text AS text FROM {name} AS line OFFSET 0) AS line \
             WHERE EXISTS (SELECT FROM wanted WHERE strpos(line.text, wanted.text) > 0) HAVING count(*) > 0"
        );
        let hits = rows(&db, &sql, [needles.clone().into()]).await?;
        found.extend(hits.as_array().cloned().unwrap_or_default());
    }
    Ok(found.into())
}

async fn rows<const N: usize>(
    db: &DatabaseConnection,
    sql: &str,
    values: [SqlValue; N],
) -> anyhow::Result<Value> {
    let sql = format!(
        "SELECT coalesce(jsonb_agg(to_jsonb(row)), '[]')::text AS rows FROM ({sql}) AS row"
    );
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = db.query_one_raw(statement).await?.context("no answer")?;
    Ok(serde_json::from_str(&row.try_get::<String>("", "rows")?)?)
}
