//! Reads topics from their beginnings, or from a moment on, to the ends that they have now.

use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::time::Duration;

use anyhow::Context;
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::{BorrowedMessage, Headers},
    metadata::{MetadataPartition, MetadataTopic},
};
use serde_json::{Map, Value, json};

/// How long the broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// Prints the records, partition by partition, each partition in its order.
///
/// # Errors
/// There is no such topic, or the broker does not answer.
pub(crate) fn print(args: &Args) -> anyhow::Result<()> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &args.brokers)
        // A name that nobody joins: partitions are assigned by hand, and no progress is kept.
        .set("group.id", "probe")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "10")
        .create()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    for topic in &args.topics {
        let full = format!("{}{topic}", args.prefix);
        let spans = spans(&consumer, &full, args.since).with_context(|| format!("topic {full}"))?;
        read(&consumer, &full, spans, |record| {
            Ok(writeln!(out, "{}", described(topic, record))?)
        })?;
    }
    Ok(out.flush()?)
}

/// The first offset to read of each partition, and the one to stop before.
fn spans(
    consumer: &BaseConsumer,
    topic: &str,
    since: Option<i64>,
) -> anyhow::Result<HashMap<i32, (i64, i64)>> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let partitions = metadata
        .topics()
        .iter()
        .flat_map(MetadataTopic::partitions)
        .map(MetadataPartition::id);
    let mut spans = HashMap::new();
    for partition in partitions {
        let (low, end) = consumer.fetch_watermarks(topic, partition, PATIENCE)?;
        let start = match since {
            Some(moment) => at(consumer, topic, partition, moment)?.unwrap_or(end),
            None => low,
        };
        spans.insert(partition, (start, end));
    }
    anyhow::ensure!(!spans.is_empty(), "it has no partitions: does it exist?");
    Ok(spans)
}

/// The first offset at or after a moment (milliseconds since 1970), if there is one.
fn at(
    consumer: &BaseConsumer,
    topic: &str,
    partition: i32,
    moment: i64,
) -> anyhow::Result<Option<i64>> {
    let mut wanted = TopicPartitionList::new();
    wanted.add_partition_offset(topic, partition, Offset::Offset(moment))?;
    let found = consumer.offsets_for_times(wanted, PATIENCE)?;
    let offset = found.find_partition(topic, partition);
    Ok(offset.and_then(|found| match found.offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }))
}

fn read(
    consumer: &BaseConsumer,
    topic: &str,
    mut spans: HashMap<i32, (i64, i64)>,
    mut each: impl FnMut(&BorrowedMessage<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    spans.retain(|_, (start, end)| start < end);
    let mut assignment = TopicPartitionList::new();
    for (partition, (start, _)) in &spans {
        assignment.add_partition_offset(topic, *partition, Offset::Offset(*start))?;
    }
    consumer.assign(&assignment)?;
    while !spans.is_empty() {
        let record = consumer
            .poll(PATIENCE)
            .context("the broker went silent")??;
        let Some((_, end)) = spans.get(&record.partition()) else {
            continue;
        };
        if record.offset() < *end {
            each(&record)?;
        }
        if record.offset() + 1 >= *end {
            spans.remove(&record.partition());
        }
    }
    Ok(())
}

fn described(topic: &str, record: &BorrowedMessage<'_>) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers: Map<String, Value> = record.headers().map_or_else(Map::new, |headers| {
        headers
            .iter()
            .map(|header| (header.key.to_owned(), header.value.map(text).into()))
            .collect()
    });
    let value = record.payload().map(text).unwrap_or_default();
    json!({
        "topic": topic,
        "partition": record.partition(),
        "offset": record.offset(),
        "timestamp": record.timestamp().to_millis(),
        "key": record.key().map(text),
        "headers": headers,
        // What is no JSON is shown as text: a test must be able to say so.
        "value": serde_json::from_str(&value).unwrap_or(Value::String(value)),
    })
}
