//! `POST /payments/{orderId}/refund`: an operator gives back what was taken for an order.

use axum::{extract::State, http::StatusCode};
use contracts::{Illegal, OrderId, PaymentState};
use futures_util::FutureExt;
use garde::Validate;
use messaging::{Fault, Handler, Stamp, TraceParent, UnitOfWork};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Path, Trace},
};
use utoipa::ToSchema;

use super::Api;
use crate::{
    domain::{Command, Intent},
    messages::{Paying, write_reply},
    store,
    worker::Job,
};

/// Who has the order refunded, and why: kept for good.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewRefund {
    /// Who it is.
    #[garde(length(chars, min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100)]
    by: String,
    /// Why.
    #[garde(length(chars, min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    why: String,
}

/// The refund is under way, or was made before.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refunding {
    order_id: OrderId,
    /// REFUNDED once the gateway has done it; until then as before.
    state: PaymentState,
    /// The version of the payment.
    version: i64,
}

/// Why there is no refund.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("there is no payment")]
    Unknown,
    #[error(transparent)]
    Illegal(#[from] Illegal),
    #[error(transparent)]
    Unwritable(#[from] Fault),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Gives back what was taken for an order, once: whoever asks again, asks for the same refund. The answer comes before the
/// gateway's; `GET /payments?orderId=` tells when it is REFUNDED.
#[utoipa::path(
    post,
    path = "/payments/{orderId}/refund",
    tag = "payment",
    params(("orderId" = OrderId, Path)),
    request_body = NewRefund,
    responses(
        (status = ACCEPTED, body = Refunding),
        (status = CONFLICT, body = Problem, description = "Nothing was taken for the order"),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn refund_payment(
    State(api): State<Api>,
    Path(order): Path<OrderId>,
    Trace(trace): Trace,
    Json(new): Json<NewRefund>,
) -> Result<(StatusCode, Json<Refunding>), Problem> {
    let paying = api.paying.clone();
    let refunded = api
        .store
        .transact(move |work| refund(work, paying, order, new, trace).boxed());
    let (refunding, jobs) = refunded.await.map_err(|refused| problem(order, refused))?;
    api.paying.committed(jobs);
    Ok((StatusCode::ACCEPTED, Json(refunding)))
}

/// Opens the refund, with what is said already and the call that follows.
async fn refund(
    work: &mut UnitOfWork,
    paying: Paying,
    order_id: OrderId,
    new: NewRefund,
    trace: TraceParent,
) -> Result<(Refunding, Vec<Job>), Refused> {
    let mut stamp = Stamp::live();
    let mut world = store::load(work.db(), &[(order_id, None)]).await?;
    let row = world.payments.get_mut(&order_id).ok_or(Refused::Unknown)?;
    let command = Command {
        id: stamp.new_id(),
        intent: Intent::Refund,
        trace: Some(trace),
    };
    let opened = row.payment.refund(command, &mut stamp)?;
    let refunding = Refunding {
        order_id,
        state: row.payment.state,
        version: row.payment.version,
    };
    let Some(answers) = opened else {
        return Ok((refunding, Vec::new()));
    };
    for answer in &answers {
        work.publish(write_reply(&row.payment, answer)?);
    }
    let jobs = paying.save(work.db(), world).await?;
    let refund = store::Refund {
        order_id,
        command_id: command.id,
        by: new.by,
        why: new.why,
        at: stamp.now,
    };
    store::insert_refund(work.db(), refund).await?;
    Ok((refunding, jobs))
}

fn problem(order: OrderId, refused: Refused) -> Problem {
    match refused {
        Refused::Unknown => Problem::not_found(format!("there is no payment for order {order}")),
        Refused::Illegal(illegal) => Problem::conflict(format!(
            "nothing was taken for order {order} that could be given back: {illegal}"
        )),
        Refused::Unwritable(fault) => Problem::internal(&fault),
        Refused::Database(error) => error.into(),
    }
}
