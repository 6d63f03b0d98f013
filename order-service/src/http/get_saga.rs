//! `GET /orders/{id}/saga`: how far the order's saga has come, and how it came there.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::OrderId;
use messaging::Store;
use saga::{Ordered, Record};
use saga_postgres::{Story, story};
use serde::Serialize;
use service::{
    Problem,
    extract::{Json, Path},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{glance::GlanceView, no_order};
use crate::messages::Orders;

/// A saga, and what happened to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SagaView {
    #[serde(flatten)]
    glance: GlanceView,
    /// The steps that it came to, in that order.
    steps: Vec<StepView>,
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
    /// Counts what happened to the saga, over all its steps, from 1.
    number: u32,
    /// SENT, RESENT, GRANTED, REFUSED, HAPPENED, KEPT, STALE, UNDO_SENT, UNDONE, STUCK, COMPLETED, ROLLED_BACK,
    /// CANCEL_ASKED, ARBITER_ASKED, CANCEL_GRANTED, CANCEL_REFUSED, RETRIED, SKIPPED or SENT_BACK.
    what: &'static str,
    at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// Who stepped in, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl From<Record> for RecordView {
    fn from(record: Record) -> Self {
        let Record {
            number,
            what,
            at,
            message,
            kind,
            ordered,
            ..
        } = record;
        let (by, why) = ordered.map(|Ordered { by, why }| (by, why)).unzip();
        Self {
            number,
            what: what.as_str(),
            at,
            message_id: message,
            kind,
            by,
            why,
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
    Ok(Json(tell(&store, &orders, id).await?))
}

/// Tells the saga of an order.
pub(super) async fn tell(store: &Store, orders: &Orders, id: OrderId) -> Result<SagaView, Problem> {
    let story = story(store.db(), id.uuid()).await?;
    let Story { glance, records } = story.ok_or_else(|| no_order(id))?;
    Ok(SagaView {
        glance: GlanceView::new(glance, orders),
        steps: steps(records),
    })
}
