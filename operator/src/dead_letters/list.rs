//! What is parked.

use std::collections::HashSet;

use clap::Args;
use messaging::parking::{self, Letter};

use super::Scope;
use crate::{
    databases::Database,
    output::{self, short, time},
};

/// How many messages people are shown of a database, unless they ask for more.
const PAGE: u64 = 200;
/// As much of a reason as a table bears; `show` has all of it.
const REASON: usize = 120;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    scope: Scope,
    /// The most messages to show of each service [default: 200, in JSON all]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
}

pub(super) async fn run(
    arguments: &Arguments,
    databases: &[Database],
    json: bool,
) -> anyhow::Result<bool> {
    let filter = arguments.scope.filter();
    let limit = arguments
        .limit
        .unwrap_or(if json { u64::MAX } else { PAGE });
    let (mut letters, mut total) = (Vec::new(), 0);
    for database in databases {
        letters.extend(parking::letters(database.db(), &filter, limit).await?);
        total += parking::count(database.db(), &filter).await?;
    }
    if json {
        output::json(&letters)?;
        return Ok(true);
    }
    if letters.is_empty() {
        output::say("nothing is parked");
        return Ok(true);
    }
    let rows: Vec<_> = letters.iter().map(row).collect();
    let head = [
        "SERVICE", "ORDER", "PLACE", "ID", "TOPIC", "TYPE", "PARKED", "TRIES", "STATE",
    ];
    output::say(output::table(head, &rows));
    output::say(summary(&letters, total));
    Ok(true)
}

fn row(letter: &Letter) -> [String; 9] {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    [
        letter.consumer.clone(),
        text(&letter.key),
        letter.place.to_string(),
        letter.id.to_string(),
        letter.topic.clone(),
        text(&letter.kind),
        time(letter.parked_at),
        letter.attempts.to_string(),
        state(letter),
    ]
}

fn state(letter: &Letter) -> String {
    let own = match &letter.reason {
        Some(reason) => format!("failed: {}", short(reason, REASON)),
        None => "waits".to_owned(),
    };
    match &letter.replay_requested_by {
        Some(by) if letter.place == 1 => format!("{by} has asked for a replay; {own}"),
        _ => own,
    }
}

fn summary(letters: &[Letter], total: i64) -> String {
    let lines: HashSet<_> = letters
        .iter()
        .filter(|letter| letter.place == 1)
        .map(|letter| letter.id)
        .collect();
    let shown = letters.len();
    if usize::try_from(total).is_ok_and(|total| total > shown) {
        return format!("{shown} of {total} messages; --limit shows more");
    }
    let total = output::count(total, "message");
    match lines.len() {
        1 => format!("{total}, 1 of which holds up the others"),
        many => format!("{total}, {many} of which hold up the others"),
    }
}
