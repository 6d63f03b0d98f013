//! `probe`: what the flow tests need to see and no REST path shows. It reads topics and tables and
//! times requests; it never changes anything but by the requests and statements that it is given.
//!
//! Every command prints JSON, for jq.

mod latency;
mod tables;
mod topics;

use std::io::Write;

use clap::{Parser, Subcommand};
use serde_json::Value;

/// Looks into a running platform.
#[derive(Debug, Parser)]
#[command(version, about)]
enum Cli {
    /// Print every record of the topics, up to the ends that they have now: one JSON object a line
    Topics(topics::Args),
    /// Look into a database
    #[command(subcommand)]
    Database(Database),
    /// Place orders one after another and time each until the view shows it in a state
    Latency(latency::Args),
}

#[derive(Debug, Subcommand)]
enum Database {
    /// Run one query and print its rows as a JSON array of objects
    Query(tables::Query),
    /// Run statements that break or mend something, as a script needs it
    Execute(tables::Query),
    /// Print which tables hold one of these texts, in whatever column
    Search(tables::Search),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Cli::parse() {
        Cli::Topics(args) => topics::print(&args).await,
        Cli::Database(Database::Query(query)) => print(&tables::query(&query).await?),
        Cli::Database(Database::Execute(statements)) => tables::execute(&statements).await,
        Cli::Database(Database::Search(search)) => print(&tables::search(&search).await?),
        Cli::Latency(args) => print(&latency::measure(&args).await?),
    }
}

/// Prints one line of JSON.
fn print(value: &Value) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{value}")?)
}
