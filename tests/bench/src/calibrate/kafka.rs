//! Kafka alone: from handing a record to the producer until a consumer has it, at a fixed rate.
//!
//! The producer is set as the relay's, the consumer as those of the services where that makes it quick (nothing comes so fast that it matters how much
//! it may fetch ahead), and the records are as large as theirs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use messaging::consumer::Settings;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::quantiles::{Latencies, Quantiles};

/// As many as the platform's topics have.
pub(crate) const PARTITIONS: i32 = 6;
/// Stands before the names of topics that are nobody's but this program's.
pub(crate) const PREFIX: &str = "bench.";
const ALONE: &str = "alone";
/// About as much as a message of the platform.
const BODY: usize = 300;
/// Where a record's number is, in the relay's records, too.
const NUMBER: &str = "ce_sequence";

/// Times at a rate.
///
/// # Errors
/// The broker's.
pub(super) async fn alone(brokers: &str, rate: u32, length: Duration) -> anyhow::Result<Quantiles> {
    create(brokers, &[ALONE]).await?;
    let brokers = brokers.to_owned();
    let times = tokio::task::spawn_blocking(move || measure(&brokers, rate, length)).await??;
    Ok(times.quantiles())
}

/// Makes topics of our own, unless they are there.
///
/// # Errors
/// The broker's.
pub(crate) async fn create(brokers: &str, names: &[&str]) -> anyhow::Result<()> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create()?;
    let names: Vec<String> = names.iter().map(|name| format!("{PREFIX}{name}")).collect();
    let topics: Vec<NewTopic<'_>> = names
        .iter()
        .map(|name| NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1)))
        .collect();
    // That one is there already is told as an error of that topic, not of the request.
    admin.create_topics(&topics, &AdminOptions::new()).await?;
    Ok(())
}

fn measure(brokers: &str, rate: u32, length: Duration) -> anyhow::Result<Latencies> {
    let consumer = consumer(brokers, ALONE)?;
    let config = message_relay::producer::Settings::new(brokers).config();
    let producer: ThreadedProducer<DefaultProducerContext> =
        config.create_with_context(DefaultProducerContext)?;
    let (topic, body) = (format!("{PREFIX}{ALONE}"), "x".repeat(BODY));
    let (done, count) = (
        AtomicBool::new(false),
        i64::from(rate) * length.as_secs() as i64,
    );
    let (sent, arrived) = thread::scope(|scope| {
        let receiving = scope.spawn(|| receive(&consumer, &done));
        let sending = || {
            let (mut sent, begin) = (HashMap::new(), Instant::now());
            for number in 0..count {
                let due = begin + Duration::from_secs_f64(number as f64 / f64::from(rate));
                thread::sleep(due.saturating_duration_since(Instant::now()));
                sent.insert(number, Instant::now());
                send(&producer, &topic, number, &body)?;
            }
            producer.flush(Duration::from_secs(10))?;
            anyhow::Ok(sent)
        };
        let sent = sending();
        done.store(true, Ordering::Relaxed);
        let arrived = receiving.join();
        let arrived = arrived.map_err(|_| anyhow::anyhow!("the receiving thread died"))?;
        anyhow::Ok((sent?, arrived?))
    })?;
    let times = between(&sent, &arrived, rate)?;
    ensure!(times.quantiles().count > 0, "the measurement was too short");
    Ok(times)
}

/// The times from one moment of each number to another; those of the first second, which warms up, do not count.
///
/// # Errors
/// Something did not come, or came before it was sent: then a clock is wrong.
pub(crate) fn between(
    sent: &HashMap<i64, Instant>,
    arrived: &HashMap<i64, Instant>,
    rate: u32,
) -> anyhow::Result<Latencies> {
    let warm = sent
        .iter()
        .filter(|(number, _)| **number >= i64::from(rate));
    let times = warm.map(|(number, sent)| {
        let arrived = arrived.get(number);
        let arrived = arrived.with_context(|| format!("record {number} did not come"))?;
        let time = arrived.checked_duration_since(*sent);
        time.with_context(|| format!("record {number} came before it was sent"))
    });
    times.collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "what Kafka can do alone is measured without the relay"
)]
fn send(
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    number: i64,
    body: &str,
) -> anyhow::Result<()> {
    let number = number.to_string();
    let headers = OwnedHeaders::new().insert(Header {
        key: NUMBER,
        value: Some(&number),
    });
    let key = ambient::new_id().to_string();
    let record = BaseRecord::to(topic)
        .key(&key)
        .payload(body)
        .headers(headers);
    producer.send(record).map_err(|(error, _)| error)?;
    Ok(())
}

/// A consumer of a topic of ours that has begun to fetch at the topic's end.
///
/// # Errors
/// The broker's.
pub(crate) fn consumer(brokers: &str, topic: &str) -> anyhow::Result<BaseConsumer> {
    let settings = Settings::new("bench", "0", brokers, PREFIX, &[topic]);
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &settings.brokers)
        .set("group.id", &settings.group)
        .set("enable.auto.commit", "false")
        .set("fetch.min.bytes", "1")
        .set("fetch.wait.max.ms", "500")
        .set("socket.nagle.disable", "true")
        .create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset(&format!("{PREFIX}{topic}"), partition, Offset::End)?;
    }
    consumer.assign(&list)?;
    // Fetching has begun when it says that there is nothing.
    for _ in 0..20 {
        consumer.poll(Duration::from_millis(50));
    }
    Ok(consumer)
}

/// Receives until nothing has come for a while after the last was sent; gives when each number arrived first.
///
/// # Errors
/// The broker's.
pub(crate) fn receive(
    consumer: &BaseConsumer,
    done: &AtomicBool,
) -> anyhow::Result<HashMap<i64, Instant>> {
    let mut arrived = HashMap::new();
    loop {
        match consumer.poll(Duration::from_millis(200)) {
            Some(record) => {
                let (now, record) = (Instant::now(), record?);
                let number = record.headers().and_then(|headers| {
                    let header = headers.iter().find(|header| header.key == NUMBER)?;
                    std::str::from_utf8(header.value?).ok()?.parse().ok()
                });
                let number = number.context("a record without a number")?;
                arrived.entry(number).or_insert(now);
            }
            None if done.load(Ordering::Relaxed) => return Ok(arrived),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_after_the_first_second_and_never_from_an_arrival_before_the_sending() {
        let begin = Instant::now();
        let at = |millis: &[u64]| -> HashMap<i64, Instant> {
            let moments = millis.iter().map(|at| begin + Duration::from_millis(*at));
            (0..).zip(moments).collect()
        };
        let sent = at(&[100, 600, 1_100, 1_600]);
        let times = between(&sent, &at(&[900, 900, 1_104, 1_606]), 2).unwrap();
        assert_eq!(times.quantiles().count, 2);
        assert!((times.quantiles().max - 6.0).abs() < 0.01);
        assert!(between(&sent, &at(&[100, 600, 1_099, 1_606]), 2).is_err());
        assert!(between(&sent, &at(&[100, 600, 1_104]), 2).is_err());
    }
}
