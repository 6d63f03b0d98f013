//! `GET /orders/{id}/saga`: how far the order's saga has come, and how it came there.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::OrderId;
use messaging::Store;
use saga::{Awaited, Record};
use saga_postgres::{Story, story};
use serde::Serialize;
use service::{
    Problem,
    extract::{Json, Path},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::messages::Orders;

/// A saga.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SagaView {
    order_id: OrderId,
    definition: String,
    /// Of the definition.
    version: u32,
    /// FORWARD, WAITING (for somebody), BACKWARD, STUCK, COMPLETED or ROLLED_BACK.
    state: &'static str,
    /// Where it stands.
    step: String,
    /// The command whose answer it awaits.
    #[serde(skip_serializing_if = "Option::is_none")]
    awaiting: Option<AwaitedView>,
    started_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// The steps that it came to, in that order.
    steps: Vec<StepView>,
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

/// What happened at one step.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StepView {
    step: String,
    /// How often its command was sent; 0 where it only waits.
    attempts: u32,
    began_at: DateTime<Utc>,
    records: Vec<RecordView>,
}

/// One thing that happened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RecordView {
    /// SENT, RESENT, GRANTED, REFUSED, HAPPENED, KEPT, STALE, UNDO_SENT, UNDONE, STUCK, COMPLETED or ROLLED_BACK.
    what: &'static str,
    at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
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

impl From<Record> for RecordView {
    fn from(record: Record) -> Self {
        let Record {
            what,
            at,
            message,
            kind,
            ..
        } = record;
        Self {
            what: what.as_str(),
            at,
            message_id: message,
            kind,
        }
    }
}

/// Sorts what happened by the step at which it did.
fn steps(records: Vec<Record>) -> Vec<StepView> {
    let mut steps: Vec<StepView> = Vec::new();
    for record in records {
        let position = steps
            .iter()
            .position(|step| step.step == record.step)
            .unwrap_or_else(|| {
                let (step, began_at) = (record.step.clone(), record.at);
                steps.push(StepView {
                    step,
                    attempts: 0,
                    began_at,
                    records: Vec::new(),
                });
                steps.len() - 1
            });
        if let Some(step) = steps.get_mut(position) {
            step.attempts = step.attempts.max(record.attempt);
            step.records.push(record.into());
        }
    }
    steps
}

/// The saga of the order: how far it has come, and how it came there.
#[utoipa::path(
    get,
    path = "/orders/{id}/saga",
    tag = "orders",
    params(("id" = OrderId, Path)),
    responses((status = OK, body = SagaView), (status = "4XX", body = Problem))
)]
pub(super) async fn get_saga(
    State(store): State<Store>,
    State(orders): State<Orders>,
    Path(id): Path<OrderId>,
) -> Result<Json<SagaView>, Problem> {
    let story = story(store.db(), id.uuid()).await?;
    let story = story.ok_or_else(|| Problem::not_found(format!("there is no order {id}")))?;
    Ok(Json(view(id, story, &orders)))
}

fn view(order_id: OrderId, story: Story, orders: &Orders) -> SagaView {
    let Story {
        instance,
        started_at,
        updated_at,
        records,
    } = story;
    let definition = orders.definitions().of(&instance);
    let remaining = definition.map(|definition| definition.remaining(&instance));
    let remaining = remaining
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect();
    SagaView {
        order_id,
        definition: instance.definition,
        version: instance.version,
        state: instance.state.as_str(),
        step: instance.step,
        awaiting: instance.awaited.map(Into::into),
        started_at,
        updated_at,
        steps: steps(records),
        remaining,
    }
}
