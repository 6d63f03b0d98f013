//! `operator dead-letters`: see [`messaging::parking`] for what a line, a replay and a discarded message are.

mod discard;
mod history;
mod list;
mod replay;
mod show;

use anyhow::bail;
use clap::{Args, Subcommand};
use messaging::parking::{Filter, Request};
use uuid::Uuid;

use crate::databases::Database;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tell what is parked: one line a message, in the order in which each order's messages will be replayed
    List(list::Arguments),
    /// Tell everything about one message: why it failed, what it says, what was done with it
    Show(show::Arguments),
    /// Have the service handle parked messages again: from the one that failed, in their order, until one fails again
    Replay(replay::Arguments),
    /// Give up on a message that can never be handled; those behind it wait until a replay is asked for
    Discard(discard::Arguments),
    /// Tell what was done with parked messages, by whom and why
    History(history::Arguments),
}

/// Which messages.
#[derive(Debug, Args)]
struct Scope {
    /// Only those that this service could not handle
    #[arg(long)]
    service: Option<String>,
    /// Only those about this order (whatever the messages' key is: `--key` says the same)
    #[arg(long, visible_alias = "key")]
    order: Option<String>,
}

impl Scope {
    fn filter(&self) -> Filter {
        // A UUID may be typed in more ways than one; messages have it in this one.
        let canonical = |order: &String| {
            Uuid::try_parse(order).map_or_else(|_| order.clone(), |id| id.to_string())
        };
        Filter {
            consumer: self.service.clone(),
            key: self.order.as_ref().map(canonical),
            id: None,
        }
    }
}

/// Who does something, and why: kept with what is done.
#[derive(Debug, Args)]
struct Reason {
    /// Who you are
    #[arg(long, value_name = "WHO", value_parser = not_blank)]
    by: String,
    /// What was done about the cause, or why this is right
    #[arg(long, value_name = "TEXT", value_parser = not_blank)]
    why: String,
}

impl Reason {
    fn request(&self) -> Request {
        Request {
            by: self.by.clone(),
            why: self.why.clone(),
            at: ambient::now(),
        }
    }
}

fn not_blank(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("must say something"),
        said => Ok(said.to_owned()),
    }
}

/// Performs a command. Says whether all of it was done.
pub(crate) async fn perform(
    command: &Command,
    databases: &[Database],
    json: bool,
) -> anyhow::Result<bool> {
    match command {
        Command::List(arguments) => list::run(arguments, databases, json).await,
        Command::Show(arguments) => show::run(arguments, databases, json).await,
        Command::Replay(arguments) => replay::run(arguments, databases, json).await,
        Command::Discard(arguments) => discard::run(arguments, databases, json).await,
        Command::History(arguments) => history::run(arguments, databases, json).await,
    }
}

/// For what is in none of the databases.
fn unknown(id: Uuid, databases: &[Database]) -> anyhow::Result<bool> {
    let names: Vec<_> = databases
        .iter()
        .map(|database| database.name.as_str())
        .collect();
    bail!(
        "no message is parked as {id} in {}; `operator dead-letters list` tells what is",
        names.join(", ")
    )
}
