//! What was done with parked messages.

use clap::Args;
use messaging::parking::{self, Deed};

use super::Scope;
use crate::{
    databases::Database,
    output::{self, short, time},
};

/// As much of a reason as a table bears; in JSON there is all of it.
const REASON: usize = 80;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    scope: Scope,
}

pub(super) async fn run(
    arguments: &Arguments,
    databases: &[Database],
    json: bool,
) -> anyhow::Result<bool> {
    let mut deeds = Vec::new();
    for database in databases {
        deeds.extend(parking::deeds(database.db(), &arguments.scope.filter(), 0).await?);
    }
    deeds.sort_by_key(|deed| deed.done_at);
    match (json, deeds.is_empty()) {
        (true, _) => output::json(&deeds)?,
        (false, true) => output::say("nothing was done"),
        (false, false) => output::say(table(&deeds)),
    }
    Ok(true)
}

/// One line a deed.
pub(super) fn table(deeds: &[Deed]) -> String {
    let head = [
        "DONE",
        "ACTION",
        "BY",
        "SERVICE",
        "ORDER",
        "TYPE",
        "ID",
        "WHY",
        "IT HAD FAILED FOR",
    ];
    let rows: Vec<_> = deeds.iter().map(row).collect();
    output::table(head, &rows)
}

fn row(deed: &Deed) -> [String; 9] {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    [
        time(deed.done_at),
        deed.action.clone(),
        deed.requested_by.clone(),
        deed.consumer.clone(),
        text(&deed.key),
        text(&deed.kind),
        deed.parked_id.to_string(),
        short(&deed.why, REASON),
        short(&text(&deed.reason), REASON),
    ]
}
