//! Reads topics from their beginnings, or from a moment on, to the ends that they have now.

use std::io::{BufWriter, Write};

use anyhow::Context;
use chrono::DateTime;
use messaging::{History, Incoming, consumer::Settings};
use serde_json::{Map, Value, json};

/// Which records to print.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Kafka's addresses
    #[arg(long, env = "KAFKA_BROKERS", default_value = "127.0.0.1:19092")]
    brokers: String,
    /// What stands before each topic's name
    #[arg(long, env = "TOPIC_PREFIX", default_value = "")]
    prefix: String,
    /// Only records that the broker has had since: milliseconds since 1970
    #[arg(long)]
    since: Option<i64>,
    /// The topics, without the prefix
    #[arg(required = true)]
    topics: Vec<String>,
}

/// Prints the records, those of each partition in their order.
///
/// # Errors
/// There is no such topic, or the broker does not answer.
pub(crate) async fn print(args: &Args) -> anyhow::Result<()> {
    let topics: Vec<&str> = args.topics.iter().map(String::as_str).collect();
    let settings = Settings::new("probe", "0", &args.brokers, &args.prefix, &topics);
    let mut history = History::open(&settings).await?;
    let ends = history.ends().await?;
    if let Some(since) = args.since {
        let since = DateTime::from_timestamp_millis(since).context("no such moment")?;
        history.go_to(history.since(since).await?);
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut printed = Ok(());
    let print = |record: Incoming| {
        if printed.is_ok() {
            printed = writeln!(out, "{}", described(&record));
        }
    };
    history.read_to(&ends, print).await?;
    printed?;
    Ok(out.flush()?)
}

fn described(record: &Incoming) -> Value {
    let raw = record.raw();
    let headers = raw.headers.iter();
    let headers: Map<String, Value> = headers
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    let value = String::from_utf8_lossy(&raw.payload).into_owned();
    json!({
        "topic": raw.topic,
        "partition": raw.partition,
        "offset": raw.offset,
        "timestamp": raw.at.map(|at| at.timestamp_millis()),
        "key": raw.key,
        "headers": headers,
        // What is no JSON is shown as text: a test must be able to say so.
        "value": serde_json::from_str(&value).unwrap_or(Value::String(value)),
    })
}
