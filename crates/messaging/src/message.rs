//! What travels: a message as it was received, and one that is about to be published.

use ambient::trace::TraceParent;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::Fault;

/// A message as Kafka delivered it: `CloudEvents` 1.0 in binary mode, its attributes in headers, its data in the value.
#[derive(Debug, Clone)]
pub struct Message {
    /// `ce_id`. The same message sent again has the same id.
    pub id: Uuid,
    /// `ce_type`.
    pub kind: String,
    /// `ce_source`.
    pub source: String,
    /// The record's key and `ce_subject`: what the conversation is about.
    pub key: Uuid,
    /// `ce_time`: when the speaker decided.
    pub time: DateTime<Utc>,
    /// `ce_sequence`: the version of the aggregate that speaks.
    pub sequence: i64,
    /// `ce_causationid`: the message that this one answers.
    pub causation: Option<Uuid>,
    /// `traceparent`, where it was sent and well-formed.
    pub trace: Option<TraceParent>,
    /// The topic, without the prefix of the installation.
    pub topic: String,
    /// The partition of the topic.
    pub partition: i32,
    /// The offset in the partition.
    pub offset: i64,
    /// JSON.
    pub body: String,
}

impl Message {
    /// Reads the body as `T`.
    ///
    /// # Errors
    /// A body that is not a `T` is a [`Fault`]: returned from [`crate::Handler::decide`], it parks the message.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_str(&self.body)
            .map_err(|error| Fault::new(format!("body of {} is malformed: {error}", self.kind)))
    }
}

/// A message to be published: one row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Becomes `ce_id`.
    pub id: Uuid,
    /// The topic, without the prefix of the installation.
    pub topic: String,
    /// Becomes `ce_type`.
    pub kind: String,
    /// Becomes the record's key and `ce_subject`; messages of one key keep their order.
    pub key: Uuid,
    /// Becomes `ce_sequence`.
    pub sequence: i64,
    /// Becomes `ce_time`.
    pub time: DateTime<Utc>,
    /// Becomes `ce_causationid`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub causation: Option<Uuid>,
    /// Becomes `traceparent`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traceparent: Option<String>,
    /// Further headers, as a JSON object of strings.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub headers: Option<String>,
    /// JSON, sent as it is: the same row sent twice is the same bytes.
    pub body: String,
}

/// What every message of one decision shares: the moment, and where new ids come from. Deciding stays pure.
pub struct Stamp {
    /// The time of the decision.
    pub now: DateTime<Utc>,
    ids: Box<dyn FnMut() -> Uuid + Send>,
}

impl Stamp {
    /// The real clock and real ids.
    #[must_use]
    pub fn live() -> Self {
        Self::live_at(ambient::now())
    }

    /// Real ids, and a moment that the real clock gave.
    #[must_use]
    pub fn live_at(now: DateTime<Utc>) -> Self {
        Self::new(now, ambient::new_id)
    }

    /// A moment and a source of ids of one's own, for tests and simulations.
    pub fn new(now: DateTime<Utc>, ids: impl FnMut() -> Uuid + Send + 'static) -> Self {
        Self {
            now,
            ids: Box::new(ids),
        }
    }

    /// A fresh id.
    pub fn new_id(&mut self) -> Uuid {
        (self.ids)()
    }
}

impl std::fmt::Debug for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stamp")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl Outgoing {
    /// A message of `kind` about `key`, spoken by an aggregate at version `sequence`.
    ///
    /// # Errors
    /// A body that cannot be written as JSON is a [`Fault`].
    pub fn new<B: Serialize>(
        stamp: &mut Stamp,
        topic: &str,
        kind: &str,
        key: Uuid,
        sequence: i64,
        body: &B,
    ) -> Result<Self, Fault> {
        let body = serde_json::to_string(body)
            .map_err(|error| Fault::new(format!("body of {kind} cannot be written: {error}")))?;
        Ok(Self {
            id: stamp.new_id(),
            topic: topic.to_owned(),
            kind: kind.to_owned(),
            key,
            sequence,
            time: stamp.now,
            causation: None,
            traceparent: None,
            headers: None,
            body,
        })
    }

    /// The same message as an answer: it names the message that it answers and goes on with its trace.
    #[must_use]
    pub fn answering(self, cause: &Message) -> Self {
        let traced = self.traced(cause.trace);
        Self {
            causation: Some(cause.id),
            ..traced
        }
    }

    /// The same message as a step of `trace`.
    #[must_use]
    pub fn traced(self, trace: Option<TraceParent>) -> Self {
        let traceparent = trace.map(|trace| trace.publishing(self.id).to_string());
        Self {
            traceparent,
            ..self
        }
    }
}
