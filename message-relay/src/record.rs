//! A row of the outbox as a Kafka record: CloudEvents 1.0 in binary mode.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use rdkafka::message::{Header, OwnedHeaders};
use sea_orm::sqlx;
use uuid::{Uuid, fmt::Hyphenated};

use crate::reader::Row;

/// What does not change from row to row.
#[derive(Debug, Clone)]
pub struct Format {
    /// The source as a URI reference.
    source: String,
    prefix: String,
}

/// A row that cannot become a record.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A column has another type.
    #[error("a column of the outbox cannot be read")]
    Column(#[from] sqlx::Error),
    /// The column `headers` is no JSON object of texts.
    #[error("column headers is no JSON object whose values are texts")]
    Headers(#[from] serde_json::Error),
}

/// The headers that every record has, and room for those that it may have.
const HEADERS: usize = 10;

impl Format {
    /// The format of records from `source` (a name) to topics that begin with `prefix`.
    #[must_use]
    pub fn new(source: &str, prefix: &str) -> Self {
        Self {
            source: format!("/{source}"),
            prefix: prefix.to_owned(),
        }
    }

    /// The whole name of the row's topic.
    ///
    /// # Errors
    /// A column has another type.
    pub fn topic(&self, row: &Row) -> Result<String, Broken> {
        let topic = row.topic()?;
        let mut name = String::with_capacity(self.prefix.len() + topic.len());
        name.push_str(&self.prefix);
        name.push_str(topic);
        Ok(name)
    }

    /// The row's headers.
    ///
    /// # Errors
    /// The row is broken.
    pub fn headers(&self, row: &Row) -> Result<OwnedHeaders, Broken> {
        let (mut id, mut key, mut causation) = (ROOM, ROOM, ROOM);
        let time = row
            .occurred_at()?
            .to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut headers = OwnedHeaders::new_with_capacity(HEADERS);
        headers = put(headers, "ce_specversion", "1.0");
        headers = put(headers, "ce_id", text(&row.message_id()?, &mut id));
        headers = put(headers, "ce_type", row.kind()?);
        headers = put(headers, "ce_source", &self.source);
        headers = put(headers, "ce_subject", text(&row.key()?, &mut key));
        headers = put(headers, "ce_time", &time);
        headers = put(headers, "ce_sequence", &row.sequence()?.to_string());
        if let Some(cause) = row.causation()? {
            headers = put(headers, "ce_causationid", text(&cause, &mut causation));
        }
        if let Some(trace) = row.traceparent()? {
            headers = put(headers, "traceparent", trace);
        }
        headers = put(headers, "content-type", "application/json");
        match row.headers()? {
            Some(more) => add(headers, more),
            None => Ok(headers),
        }
    }
}

/// Room for an id as text, on the stack.
pub type Room = [u8; Hyphenated::LENGTH];
/// Room that is still empty.
pub const ROOM: Room = [0; Hyphenated::LENGTH];

/// The key of the row's record, written into `room`.
///
/// # Errors
/// A column has another type.
pub fn key<'a>(row: &Row, room: &'a mut Room) -> Result<&'a str, Broken> {
    Ok(text(&row.key()?, room))
}

fn text<'a>(id: &Uuid, room: &'a mut Room) -> &'a str {
    id.hyphenated().encode_lower(room)
}

fn put(headers: OwnedHeaders, key: &str, value: &str) -> OwnedHeaders {
    headers.insert(Header {
        key,
        value: Some(value),
    })
}

fn add(headers: OwnedHeaders, json: &str) -> Result<OwnedHeaders, Broken> {
    let more: BTreeMap<String, String> = serde_json::from_str(json)?;
    Ok(more
        .iter()
        .fold(headers, |headers, (key, value)| put(headers, key, value)))
}
