//! Everything about one message.

use clap::Args;
use messaging::parking::{self, Content, Deed, Filter, Letter};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{history, unknown};
use crate::{
    databases::Database,
    output::{self, plain, time},
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The id under which the message is, or was, parked
    id: Uuid,
}

pub(super) async fn run(
    arguments: &Arguments,
    databases: &[Database],
    json: bool,
) -> anyhow::Result<bool> {
    let id = arguments.id;
    let filter = Filter {
        id: Some(id),
        ..Filter::default()
    };
    for database in databases {
        let Some(content) = parking::content(database.db(), id).await? else {
            continue;
        };
        let letter = parking::letters(database.db(), &filter, 1).await?.pop();
        let deeds = parking::deeds(database.db(), &filter, 0).await?;
        if json {
            output::json(&described(letter.as_ref(), &content, &deeds))?;
        } else {
            tell(letter.as_ref(), &content, &deeds);
        }
        return Ok(true);
    }
    unknown(id, databases)
}

fn described(letter: Option<&Letter>, content: &Content, deeds: &[Deed]) -> Value {
    json!({
        "parked": letter,
        "headers": content.headers,
        "value": value(&content.payload),
        "history": deeds,
    })
}

/// JSON as it is; other text as text; other bytes in hexadecimal digits.
fn value(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or_else(|_| match std::str::from_utf8(payload) {
        Ok(text) => text.into(),
        Err(_) => {
            let digits: String = payload.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "hex": digits })
        }
    })
}

fn tell(letter: Option<&Letter>, content: &Content, deeds: &[Deed]) {
    match letter {
        Some(letter) => output::say(output::table(["PARKED", ""], &facts(letter))),
        None => output::say("not parked any more"),
    }
    let headers = content.headers.as_object().into_iter().flatten();
    let headers: Vec<[String; 2]> = headers
        .map(|(name, value)| [name.clone(), value.as_str().unwrap_or_default().to_owned()])
        .collect();
    output::say("");
    output::say(output::table(["HEADER", ""], &headers));
    output::say("");
    output::say(format_args!("VALUE ({} bytes)", content.payload.len()));
    let text = match value(&content.payload) {
        Value::String(text) => plain(&text),
        value => serde_json::to_string_pretty(&value).unwrap_or_default(),
    };
    output::say(text);
    if !deeds.is_empty() {
        output::say("");
        output::say(history::table(deeds));
    }
}

fn facts(letter: &Letter) -> Vec<[String; 2]> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let message = letter.message_id.map(|id| id.to_string());
    let from = format!(
        "{}, partition {}, offset {}",
        letter.topic, letter.partition, letter.offset
    );
    let replay = letter.replay_requested_at.map(|at| {
        let (by, why) = (&letter.replay_requested_by, &letter.replay_reason);
        format!("asked for at {} by {}: {}", time(at), text(by), text(why))
    });
    [
        ("id", letter.id.to_string()),
        ("service", letter.consumer.clone()),
        ("order", text(&letter.key)),
        ("place in its line", letter.place.to_string()),
        ("from", from),
        ("type", text(&letter.kind)),
        ("message", text(&message)),
        ("since", time(letter.parked_at)),
        ("tries", letter.attempts.to_string()),
        ("reason", text(&letter.reason)),
        ("replay", text(&replay)),
    ]
    .map(|(name, fact)| [name.to_owned(), fact])
    .to_vec()
}
