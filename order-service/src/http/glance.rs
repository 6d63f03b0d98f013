//! A saga at a glance, as the endpoints show it.

use chrono::{DateTime, Utc};
use contracts::OrderId;
use saga::Awaited;
use saga_postgres::Glance;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::messages::Orders;

/// A saga at a glance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GlanceView {
    order_id: OrderId,
    definition: String,
    /// Of the definition.
    version: u32,
    /// FORWARD, WAITING (for somebody), CANCELLING (the arbiter is asked), BACKWARD, STUCK, COMPLETED or ROLLED_BACK.
    state: &'static str,
    /// Where it stands.
    step: String,
    /// Whether it is being cancelled, or was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cancelling: bool,
    /// The command whose answer it awaits.
    #[serde(skip_serializing_if = "Option::is_none")]
    awaiting: Option<AwaitedView>,
    started_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// What is ahead: the steps to be done, or to be undone.
    remaining: Vec<String>,
}

/// A command without an answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AwaitedView {
    message_id: Uuid,
    kind: String,
    /// How often it was sent.
    attempt: u32,
    sent_at: DateTime<Utc>,
}

impl From<Awaited> for AwaitedView {
    fn from(awaited: Awaited) -> Self {
        let Awaited {
            id,
            kind,
            attempt,
            sent_at,
            ..
        } = awaited;
        Self {
            message_id: id,
            kind,
            attempt,
            sent_at,
        }
    }
}

impl GlanceView {
    pub(super) fn new(glance: Glance, orders: &Orders) -> Self {
        let Glance {
            id,
            instance,
            started_at,
            updated_at,
        } = glance;
        let definition = orders.definitions().of(&instance);
        let remaining = definition.map(|definition| definition.remaining(&instance));
        let remaining = remaining.unwrap_or_default().into_iter();
        Self {
            order_id: id.into(),
            remaining: remaining.map(str::to_owned).collect(),
            definition: instance.definition,
            version: instance.version,
            state: instance.state.as_str(),
            step: instance.step,
            cancelling: instance.memory.cancelling,
            awaiting: instance.awaited.map(Into::into),
            started_at,
            updated_at,
        }
    }
}
