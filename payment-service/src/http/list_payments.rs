//! `GET /payments`: the payment of an order.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::{
    CustomerId, Kind, Money, OrderId, PaymentId, PaymentMethodId, PaymentState, Reason,
};
use garde::Validate;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Query},
};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use crate::{
    domain::{Answer, Intent, Payment},
    store,
};

/// Whose payment.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// The order.
    #[garde(skip)]
    order_id: OrderId,
}

/// The payments of an order: one, or none.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Payments {
    payments: Vec<PaymentView>,
}

/// The payment of an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PaymentView {
    order_id: OrderId,
    payment_id: PaymentId,
    state: PaymentState,
    version: i64,
    /// Absent when the order was rejected or cancelled before it came here; so are the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method_id: Option<PaymentMethodId>,
    /// What the gateway calls the hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    authorisation_id: Option<String>,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// What the gateway is being asked: `authorise`, `capture` or `void`.
    #[serde(skip_serializing_if = "Option::is_none")]
    asking: Option<&'static str>,
    /// What was answered to order-service, and when.
    answers: Vec<AnswerView>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What was answered to order-service.
#[derive(Debug, Serialize, ToSchema)]
struct AnswerView {
    kind: Kind,
    state: PaymentState,
    version: i64,
    at: DateTime<Utc>,
}

/// The payment of an order, without anything that could be used to pay.
#[utoipa::path(
    get,
    path = "/payments",
    tag = "payment",
    params(Filter),
    responses((status = OK, body = Payments), (status = "4XX", body = Problem))
)]
pub(super) async fn list_payments(
    State(api): State<Api>,
    Query(filter): Query<Filter>,
) -> Result<Json<Payments>, Problem> {
    let payment = store::find(api.store.db(), filter.order_id).await?;
    let payments = payment.into_iter().map(PaymentView::from).collect();
    Ok(Json(Payments { payments }))
}

impl From<Payment> for PaymentView {
    fn from(payment: Payment) -> Self {
        let Payment { terms, call, .. } = payment;
        Self {
            order_id: payment.order_id,
            payment_id: payment.payment_id,
            state: payment.state,
            version: payment.version,
            amount: terms.map(|terms| terms.amount),
            customer_id: terms.map(|terms| terms.customer_id),
            payment_method_id: terms.map(|terms| terms.payment_method_id),
            authorisation_id: payment.authorisation,
            reason: payment.reason,
            asking: call.map(|call| call.intent).map(Intent::as_str),
            answers: payment.answers.into_iter().map(AnswerView::from).collect(),
            created_at: payment.created_at,
            updated_at: payment.updated_at,
        }
    }
}

impl From<Answer> for AnswerView {
    fn from(answer: Answer) -> Self {
        Self {
            kind: answer.kind,
            state: answer.state,
            version: answer.version,
            at: answer.at,
        }
    }
}
