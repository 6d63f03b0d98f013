//! A Kafka record at the door: read strictly, and kept raw for the case that it cannot be read.

use std::{
    collections::BTreeMap,
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind},
};

use chrono::{DateTime, Utc};
use rdkafka::Message as _;
use rdkafka::message::{BorrowedMessage, Headers};
use uuid::Uuid;

use crate::Message;

/// A record as it was received.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Without the prefix of the installation.
    pub topic: String,
    /// The partition of the topic.
    pub partition: i32,
    /// The offset in the partition.
    pub offset: i64,
    /// The key, as text (what is not UTF-8 is replaced).
    pub key: Option<String>,
    /// The headers, as text (what is not UTF-8 is replaced).
    pub headers: Vec<(String, String)>,
    /// The value, byte for byte.
    pub payload: Vec<u8>,
    /// When it came to Kafka; unknown of what does not come from there.
    pub at: Option<DateTime<Utc>>,
}

/// A record, readable or not.
#[derive(Debug, Clone)]
pub enum Incoming {
    /// It is a message.
    Readable(Box<Message>, Raw),
    /// It is none, and why.
    Broken(Raw, String),
}

impl Raw {
    /// Copies a record out of the client's buffers.
    #[must_use]
    pub fn copy(record: &BorrowedMessage<'_>, prefix: &str) -> Self {
        let topic = record.topic();
        Self {
            headers: headers(record),
            topic: topic.strip_prefix(prefix).unwrap_or(topic).to_owned(),
            partition: record.partition(),
            offset: record.offset(),
            key: record.key().map(text),
            payload: record.payload().map(<[u8]>::to_vec).unwrap_or_default(),
            at: record
                .timestamp()
                .to_millis()
                .and_then(DateTime::from_timestamp_millis),
        }
    }

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The key; an empty one is none, as in the table of parked messages.
    pub(crate) fn line(&self) -> Option<&str> {
        self.key.as_deref().filter(|key| !key.is_empty())
    }

    pub(crate) fn headers_as_json(&self) -> String {
        serde_json::Value::from_iter(
            self.headers
                .iter()
                .map(|(key, value)| (key.clone(), value.clone())),
        )
        .to_string()
    }

    pub(crate) fn headers_from_json(
        text: &str,
    ) -> Result<Vec<(String, String)>, serde_json::Error> {
        let headers: BTreeMap<String, String> = serde_json::from_str(text)?;
        Ok(headers.into_iter().collect())
    }

    fn required<T: std::str::FromStr<Err: Display>>(&self, name: &str) -> Result<T, String> {
        let value = self
            .header(name)
            .ok_or_else(|| format!("header {name} is missing"))?;
        value
            .parse()
            .map_err(|error| format!("header {name} is malformed: {error}"))
    }

    fn optional<T: std::str::FromStr<Err: Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, String> {
        self.header(name).map(|_| self.required(name)).transpose()
    }
}

impl From<Raw> for Incoming {
    fn from(raw: Raw) -> Self {
        match read(&raw) {
            Ok(message) => Self::Readable(Box::new(message), raw),
            Err(reason) => Self::Broken(raw, reason),
        }
    }
}

impl From<Message> for Incoming {
    /// A message as the relay would have produced it.
    fn from(message: Message) -> Self {
        let mut headers = vec![
            ("ce_id".to_owned(), message.id.to_string()),
            ("ce_type".to_owned(), message.kind.clone()),
            ("ce_source".to_owned(), message.source.clone()),
            ("ce_subject".to_owned(), message.key.to_string()),
            ("ce_time".to_owned(), message.time.to_rfc3339()),
            ("ce_sequence".to_owned(), message.sequence.to_string()),
        ];
        headers.extend(
            message
                .causation
                .map(|id| ("ce_causationid".to_owned(), id.to_string())),
        );
        headers.extend(
            message
                .trace
                .map(|trace| ("traceparent".to_owned(), trace.to_string())),
        );
        let raw = Raw {
            topic: message.topic.clone(),
            partition: message.partition,
            offset: message.offset,
            key: Some(message.key.to_string()),
            headers,
            payload: message.body.clone().into_bytes(),
            at: None,
        };
        Self::Readable(Box::new(message), raw)
    }
}

impl Incoming {
    /// The message, where the record is one.
    #[must_use]
    pub const fn message(&self) -> Option<&Message> {
        match self {
            Self::Readable(message, _) => Some(message),
            Self::Broken(..) => None,
        }
    }

    /// The record as it was received.
    #[must_use]
    pub const fn raw(&self) -> &Raw {
        match self {
            Self::Readable(_, raw) | Self::Broken(raw, _) => raw,
        }
    }
}

/// What is not UTF-8 is replaced; Postgres keeps no zero bytes.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.contains(&0) => text.to_owned(),
        _ => String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}"),
    }
}

/// The type of a record that is still in the client's buffers, where it has one that can be read.
pub(crate) fn kind<'r>(record: &'r BorrowedMessage<'_>) -> Option<&'r str> {
    let find = || {
        let headers = record.headers()?;
        let kind = headers.iter().find(|header| header.key == "ce_type")?;
        std::str::from_utf8(kind.value?).ok()
    };
    catch_unwind(AssertUnwindSafe(find)).ok().flatten()
}

/// The headers. rdkafka 0.39 panics on a header whose name is not UTF-8; such a record has no headers here, and so is
/// none of our messages, instead of a process that dies of it again and again.
fn headers(record: &BorrowedMessage<'_>) -> Vec<(String, String)> {
    let read = || {
        let headers = record.headers()?;
        let read = headers.iter().map(|header| {
            (
                header.key.to_owned(),
                header.value.map(text).unwrap_or_default(),
            )
        });
        Some(read.collect())
    };
    catch_unwind(AssertUnwindSafe(read))
        .ok()
        .flatten()
        .unwrap_or_default()
}

fn read(raw: &Raw) -> Result<Message, String> {
    let key = raw.key.as_deref().ok_or("the record has no key")?;
    let key: Uuid = key
        .parse()
        .map_err(|error| format!("the record's key is no UUID: {error}"))?;
    let body = std::str::from_utf8(&raw.payload)
        .map_err(|error| format!("the value is no UTF-8: {error}"))?;
    serde_json::from_str::<serde::de::IgnoredAny>(body)
        .map_err(|error| format!("the value is no JSON: {error}"))?;
    Ok(Message {
        id: raw.required("ce_id")?,
        kind: raw.required("ce_type")?,
        source: raw.required("ce_source")?,
        key,
        time: raw.required::<DateTime<Utc>>("ce_time")?,
        sequence: raw.required("ce_sequence")?,
        causation: raw.optional("ce_causationid")?,
        // A malformed traceparent is ignored, as W3C Trace Context asks.
        trace: raw
            .header("traceparent")
            .and_then(|value| value.parse().ok()),
        topic: raw.topic.clone(),
        partition: raw.partition,
        offset: raw.offset,
        body: body.to_owned(),
    })
}
