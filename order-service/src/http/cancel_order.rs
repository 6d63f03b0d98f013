//! `POST /orders/{id}/cancel`: whoever ordered thinks better of it.

use axum::{extract::State, http::StatusCode};
use contracts::{OrderId, OrderState};
use futures_util::FutureExt;
use messaging::{Stamp, Store};
use saga::{Input, Refusal, Verdict};
use saga_postgres::{GiveError, Given};
use serde::Serialize;
use service::{
    Problem,
    extract::{Json, Path, Trace},
};
use utoipa::ToSchema;

use super::no_order;
use crate::{domain::Order, messages::Orders};

/// The order is being cancelled, or is cancelled already. Whether it was too late turns out within moments: then it goes
/// on where it was.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancelling {
    order_id: OrderId,
    /// CANCEL_PENDING or CANCELLED.
    state: OrderState,
    /// The version of the order, to be asked for as `atLeast` where it is read.
    version: i64,
}

/// Asks for an order to be cancelled. It shows CANCEL_PENDING until that is decided: by order-service while the kitchen
/// has not been told, from then on by the kitchen. Asked twice, it is one cancellation.
#[utoipa::path(
    post,
    path = "/orders/{id}/cancel",
    tag = "orders",
    params(("id" = OrderId, Path)),
    responses(
        (status = ACCEPTED, body = Cancelling),
        (status = CONFLICT, body = Problem, description = "It is READY or further, or it is being rejected"),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn cancel_order(
    State(store): State<Store>,
    State(orders): State<Orders>,
    Path(id): Path<OrderId>,
    Trace(trace): Trace,
) -> Result<(StatusCode, Json<Cancelling>), Problem> {
    let mut stamp = Stamp::live();
    let given = store.transact(move |work| {
        async move {
            orders
                .give(work, id.uuid(), Input::Cancel, Some(trace), &mut stamp)
                .await
        }
        .boxed()
    });
    let Given { verdict, data, .. } = given.await.map_err(failed)?.ok_or_else(|| no_order(id))?;
    let order: Order = data;
    match verdict {
        Verdict::Refused(refusal) => Err(too_late(&order, refusal)),
        _ => {
            let cancelling = Cancelling {
                order_id: order.id,
                state: order.state,
                version: order.version,
            };
            Ok((StatusCode::ACCEPTED, Json(cancelling)))
        }
    }
}

fn too_late(order: &Order, refusal: Refusal) -> Problem {
    let (id, state) = (order.id, order.state);
    let why = match refusal {
        Refusal::GoingBack => "it is being rejected already",
        Refusal::NotProvided => "it began before orders could be cancelled",
        _ if state == OrderState::Preparing => "the kitchen has it ready",
        _ => "only what is PENDING, ACCEPTED or PREPARING can be cancelled",
    };
    Problem::conflict(format!("order {id} is {state}: {why}"))
}

/// What the saga cannot do is this service's fault, not the client's.
fn failed(error: GiveError) -> Problem {
    match error {
        GiveError::Database(error) => error.into(),
        GiveError::Fault(fault) => Problem::internal(&fault),
    }
}
