//! What order-service, or an operator, wants of a payment.

use messaging::TraceParent;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Intent {
    /// Hold the amount.
    Authorise,
    /// Take what is held.
    Capture,
    /// Let go what is held, or never hold it.
    Void,
    /// Give back what was taken.
    Refund,
}

impl Intent {
    /// The word for it, in keys and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorise => "authorise",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }
}

/// A command, reduced to what has to be known until it is answered, and afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The message's id, or that of an operator's request: what its answer names as its cause.
    pub id: Uuid,
    /// What is to be done.
    pub intent: Intent,
    /// The trace that the answer goes on with.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "trace")]
    pub trace: Option<TraceParent>,
}

/// A trace as its `traceparent` header.
mod trace {
    use messaging::TraceParent;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        trace: &Option<TraceParent>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match trace {
            Some(trace) => serializer.collect_str(trace),
            None => serializer.serialize_none(),
        }
    }

    /// What cannot be read is left out, as W3C Trace Context asks.
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<TraceParent>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.and_then(|text| text.parse().ok()))
    }
}
