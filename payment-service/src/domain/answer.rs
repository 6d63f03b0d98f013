//! How a command was answered.

use chrono::{DateTime, Utc};
use contracts::{Kind, PaymentState, Reason};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Command;

/// An answer as it was given. It is kept with the payment, so that a command that comes again, however late, is
/// answered with the same message: same id, same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was answered.
    pub command: Command,
    /// The id of the message that answered it.
    pub id: Uuid,
    /// Its kind.
    pub kind: Kind,
    /// The state of the payment that it told.
    pub state: PaymentState,
    /// The version of the payment that it told.
    pub version: i64,
    /// Why, when something was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When.
    pub at: DateTime<Utc>,
}
