//! The copy of a failed message for whoever watches `<topic>.dlq`.

use uuid::Uuid;

use super::Condemned;
use crate::{Incoming, Outgoing, Stamp};

/// The most of a value that its copy holds: a third of what Kafka takes by default, since a byte that is no text
/// becomes three.
const COPIED_BYTES: usize = 256 * 1024;

/// The copy of the message that is parked as `id`: the same value, with headers that say who could not handle it, and why.
pub(crate) fn copy(
    consumer: &str,
    id: Uuid,
    incoming: &Incoming,
    condemned: &Condemned,
    stamp: &mut Stamp,
) -> Outgoing {
    let raw = incoming.raw();
    let message = incoming.message();
    let headers = serde_json::json!({
        "dlq_id": id.to_string(),
        "dlq_consumer": consumer,
        "dlq_reason": condemned.reason(),
        "dlq_attempts": condemned.attempts().to_string(),
        "dlq_topic": raw.topic,
        "dlq_partition": raw.partition.to_string(),
        "dlq_offset": raw.offset.to_string(),
        "dlq_truncated": (raw.payload.len() > COPIED_BYTES).to_string(),
        "dlq_message_id": raw.header("ce_id").unwrap_or_default(),
    });
    let id = stamp.new_id();
    Outgoing {
        id,
        topic: format!("{}.dlq", raw.topic),
        kind: raw.header("ce_type").unwrap_or("UNKNOWN").to_owned(),
        key: raw
            .key
            .as_deref()
            .and_then(|key| key.parse().ok())
            .unwrap_or_default(),
        sequence: message.map_or(0, |message| message.sequence),
        time: stamp.now,
        causation: message.map(|message| message.id),
        traceparent: message
            .and_then(|message| message.trace)
            .map(|trace| trace.publishing(id).to_string()),
        headers: Some(headers.to_string()),
        body: excerpt(&raw.payload),
    }
}

/// As much of the value as the copy may hold: the relay must be able to send it. All of it is in the table.
fn excerpt(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(&payload[..payload.len().min(COPIED_BYTES)]);
    text.replace('\0', "\u{fffd}")
}
