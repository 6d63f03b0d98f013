//! Having parked messages handled again.
//!
//! This only asks: a mark in the database, which the service finds within a second or so. With `--wait` it stays until
//! the service has done it, and tells what came of it.

use std::time::Duration;

use anyhow::bail;
use clap::{ArgGroup, Args};
use messaging::parking::{self, Action, Deed, Filter, Line};
use serde_json::json;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Reason, Scope, unknown};
use crate::{
    databases::Database,
    output::{self, plain, time},
};

/// How often it is looked whether the service has done it.
const PACE: Duration = Duration::from_millis(200);
/// More lines than these are not told one by one.
const FEW: usize = 20;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["id", "order", "all"])))]
pub(crate) struct Arguments {
    /// The id under which a message is parked that holds up its order: it and those behind it
    id: Option<Uuid>,
    #[command(flatten)]
    scope: Scope,
    /// Everything that the service has parked
    #[arg(long, requires = "service")]
    all: bool,
    #[command(flatten)]
    reason: Reason,
    /// Wait until it is done, but not longer
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
}

/// What is asked of one database.
struct Part<'a> {
    database: &'a Database,
    filter: Filter,
    lines: Vec<Line>,
    /// The latest deed before this one.
    before: i64,
}

/// How it stands when this command ends.
struct Outcome {
    /// Lines of which a replay is asked for and not done.
    outstanding: i64,
    deeds: Vec<Deed>,
}

pub(super) async fn run(
    arguments: &Arguments,
    databases: &[Database],
    json: bool,
) -> anyhow::Result<bool> {
    let parts = find(arguments, databases).await?;
    if parts.is_empty() {
        return nothing(arguments, databases, json);
    }
    let request = arguments.reason.request();
    for part in &parts {
        parking::request_replay(part.database.db(), &part.filter, &request).await?;
    }
    if !json {
        tell_asked(&parts);
    }
    let outcome = match arguments.wait {
        Some(seconds) => Some(wait(&parts, Duration::from_secs(seconds)).await?),
        None => None,
    };
    if json {
        let lines: Vec<&Line> = parts.iter().flat_map(|part| &part.lines).collect();
        let outstanding = outcome.as_ref().map(|outcome| outcome.outstanding);
        let deeds = outcome.as_ref().map(|outcome| &outcome.deeds);
        output::json(&json!({ "lines": lines, "outstanding": outstanding, "history": deeds }))?;
    }
    match outcome {
        Some(outcome) => conclude(arguments, &outcome, json),
        None => Ok(true),
    }
}

/// The lines that are meant, in each database that has some.
async fn find<'a>(
    arguments: &Arguments,
    databases: &'a [Database],
) -> anyhow::Result<Vec<Part<'a>>> {
    let mut parts = Vec::new();
    for database in databases {
        let filter = Filter {
            id: arguments.id,
            ..arguments.scope.filter()
        };
        let lines = parking::lines(database.db(), &filter).await?;
        let Some(line) = lines.first() else { continue };
        let filter = match arguments.id {
            Some(id) => whole(line, id)?,
            None => filter,
        };
        parts.push(Part {
            database,
            filter,
            before: parking::last_deed(database.db()).await?,
            lines,
        });
    }
    Ok(parts)
}

/// The line of the message `id`, which must be the first of it.
fn whole(line: &Line, id: Uuid) -> anyhow::Result<Filter> {
    match line.first {
        Some(first) if first != id => bail!(
            "{id} waits behind {first}: replay that one, and this one follows; or discard that one first"
        ),
        _ => Ok(Filter {
            consumer: Some(line.consumer.clone()),
            key: Some(line.line.clone()),
            id: None,
        }),
    }
}

fn nothing(arguments: &Arguments, databases: &[Database], json: bool) -> anyhow::Result<bool> {
    if let Some(id) = arguments.id {
        return unknown(id, databases);
    }
    if let Some(order) = &arguments.scope.order {
        bail!(
            "nothing about {} is parked; `operator dead-letters list` tells what is",
            plain(order)
        );
    }
    match json {
        true => output::json(&json!({ "lines": [], "outstanding": 0, "history": [] }))?,
        false => output::say("nothing is parked"),
    }
    Ok(true)
}

fn tell_asked(parts: &[Part<'_>]) {
    let lines: Vec<&Line> = parts.iter().flat_map(|part| &part.lines).collect();
    if lines.len() > FEW {
        let messages: i64 = lines.iter().map(|line| line.messages).sum();
        let messages = output::count(messages, "message");
        let lines = lines.len();
        output::say(format_args!(
            "a replay is asked for: {messages} in {lines} lines"
        ));
        return;
    }
    for line in lines {
        let what = format!("{} {}", line.consumer, plain(&line.line));
        match (&line.replay_requested_by, line.replay_requested_at) {
            (Some(by), Some(at)) => output::say(format_args!(
                "{what}: {by} has asked for a replay already, at {}",
                time(at)
            )),
            _ => output::say(format_args!(
                "{what}: a replay is asked for, messages: {}",
                line.messages
            )),
        }
    }
}

/// Waits until nothing of it is outstanding, within a bound.
async fn wait(parts: &[Part<'_>], patience: Duration) -> anyhow::Result<Outcome> {
    let deadline = Instant::now() + patience;
    let outstanding = loop {
        let mut outstanding = 0;
        for part in parts {
            outstanding += parking::outstanding(part.database.db(), &part.filter).await?;
        }
        if outstanding == 0 || Instant::now() >= deadline {
            break outstanding;
        }
        sleep(PACE).await;
    };
    let mut deeds = Vec::new();
    for part in parts {
        deeds.extend(parking::deeds(part.database.db(), &part.filter, part.before).await?);
    }
    Ok(Outcome { outstanding, deeds })
}

/// Tells what came of it, and whether that is what was wanted.
fn conclude(arguments: &Arguments, outcome: &Outcome, json: bool) -> anyhow::Result<bool> {
    let done = |action: Action| {
        let done = move |deed: &&Deed| deed.action == action.as_str();
        outcome.deeds.iter().filter(done)
    };
    if !json {
        output::say(format_args!("replayed: {}", done(Action::Replayed).count()));
    }
    let failed = done(Action::FailedAgain);
    for deed in failed.clone().take(FEW) {
        let reason = plain(deed.reason.as_deref().unwrap_or_default());
        output::complain(format_args!(
            "{} has failed again in {}, and what is behind it waits on: {reason}",
            deed.parked_id, deed.consumer
        ));
    }
    let failed = failed.count();
    if failed > FEW {
        output::complain(format_args!("and {} more", failed - FEW));
    }
    if outcome.outstanding > 0 {
        bail!(
            "not done after {} s, lines: {}. The service does it when it runs (`make status`); \
             `operator dead-letters list` tells how far it is",
            arguments.wait.unwrap_or_default(),
            outcome.outstanding
        );
    }
    Ok(failed == 0)
}
