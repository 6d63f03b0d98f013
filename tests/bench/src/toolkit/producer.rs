//! What one producer can do that is set as the relay's, with records that it has in memory already.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};

use super::rig::{CEILING, Rig};
use crate::calibrate::kafka::PREFIX;

/// Different keys and bodies: what is the same over and over is compressed to nothing.
const KINDS: usize = 500;
/// How long the last records may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A record, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    key: String,
    headers: OwnedHeaders,
    body: String,
}

/// A record like those of the relay.
pub(super) fn record(kind: &str, number: u64) -> Prepared {
    let (id, key) = (ambient::new_id().to_string(), ambient::new_id().to_string());
    let (time, number) = (ambient::now().to_rfc3339(), number.to_string());
    let attributes: [(&str, &str); 10] = [
        ("content-type", "application/json"),
        ("ce_specversion", "1.0"),
        ("ce_id", &id),
        ("ce_type", kind),
        ("ce_source", "/bench"),
        ("ce_subject", &key),
        ("ce_time", &time),
        ("ce_sequence", &number),
        ("ce_causationid", &id),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ];
    let headers = OwnedHeaders::new_with_capacity(attributes.len());
    let headers = attributes.iter().fold(headers, |headers, (key, value)| {
        headers.insert(Header {
            key,
            value: Some(*value),
        })
    });
    let item = ambient::new_id().simple().to_string();
    let body = format!(
        r#"{{"orderId":"{key}","ticketId":"{id}","state":"PENDING","version":1,"total":{{"amount":{number},"currency":"EUR"}},"items":"{}"}}"#,
        item.repeat(5)
    );
    Prepared { key, headers, body }
}

/// A producer that is set as the relay's.
///
/// # Errors
/// The client's.
pub(super) fn producer(brokers: &str) -> anyhow::Result<ThreadedProducer<DefaultProducerContext>> {
    let config = message_relay::producer::Settings::new(brokers).config();
    Ok(config.create_with_context(DefaultProducerContext)?)
}

/// Sends a record, as soon as there is room for it.
///
/// # Errors
/// The client's.
#[expect(
    clippy::disallowed_methods,
    reason = "what Kafka can do alone is measured without the relay"
)]
pub(super) fn send(
    producer: &ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    prepared: &Prepared,
) -> anyhow::Result<()> {
    let Prepared { key, headers, body } = prepared;
    let mut record = BaseRecord::to(topic)
        .key(key)
        .payload(body)
        .headers(headers.clone());
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                record = back;
                thread::sleep(Duration::from_micros(500));
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}

/// Records per second.
///
/// # Errors
/// The broker's.
pub(super) async fn ceiling(rig: &Rig, count: u64) -> anyhow::Result<f64> {
    let brokers = rig.brokers.clone();
    let measured = tokio::task::spawn_blocking(move || {
        let (producer, topic) = (producer(&brokers)?, format!("{PREFIX}{CEILING}"));
        let prepared: Vec<_> = (0..KINDS as u64)
            .map(|number| record("TICKET_CREATED", number))
            .collect();
        let begin = Instant::now();
        for prepared in prepared.iter().cycle().take(usize::try_from(count)?) {
            send(&producer, &topic, prepared)?;
        }
        producer.flush(PATIENCE)?;
        anyhow::Ok(count as f64 / begin.elapsed().as_secs_f64())
    });
    measured.await?
}
