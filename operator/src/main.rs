//! `operator`: what a person does about a running system that no request does.
//!
//! It works on the services' databases, and leaves to the services what only they can do: a replay is a mark that
//! the service finds. `docs/operations.md` says when to use which command. Each group of commands is a module.
//!
//! Exit codes: 0 when it is done, 1 when it is not, or not all of it (said on standard error, with what to do next), 2
//! when the command line cannot be understood.

mod audit;
mod databases;
mod dead_letters;
mod output;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::databases::Where;

/// Looks after a running system: its dead letters, and whether all databases agree.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 done; 1 not done, or not all of it; 2 wrong usage."
)]
struct Cli {
    #[command(flatten)]
    databases: Where,
    /// Print JSON, for scripts
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Messages that could not be handled, and those that wait behind them
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Reconcile all databases: every order with its saga, ticket, payment, kitchen, delivery, view and the gateway's ledger
    Audit(audit::Arguments),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match perform(&cli).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            output::complain(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Says whether all of it was done.
async fn perform(cli: &Cli) -> anyhow::Result<bool> {
    let reach = cli.databases.open().await?;
    match &cli.command {
        Command::DeadLetters(command) => {
            let done = dead_letters::perform(command, &reach.databases, cli.json).await?;
            Ok(done && reach.complete)
        }
        Command::Audit(arguments) => {
            audit::run(arguments, reach, cli.databases.surroundings()?, cli.json).await
        }
    }
}
