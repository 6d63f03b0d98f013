//! `POST /sagas/{id}/interventions`: an operator steps in where a saga cannot help itself.

use axum::extract::State;
use contracts::OrderId;
use futures_util::FutureExt;
use garde::Validate;
use messaging::{Stamp, Store};
use saga::{Input, Ordered, Refusal, Verdict};
use saga_postgres::{GiveError, Given};
use serde::Deserialize;
use service::{
    Problem,
    extract::{Json, Path, Trace},
};
use utoipa::ToSchema;

use super::{
    get_saga::{SagaView, tell},
    no_order,
};
use crate::messages::Orders;

/// What is to be done, by whom, and why: all of it is kept in the saga's history.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Intervention {
    #[garde(skip)]
    action: Action,
    /// Who it is.
    #[garde(length(chars, min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100)]
    by: String,
    /// Why.
    #[garde(length(chars, min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    why: String,
}

/// What an operator can do about a saga.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Action {
    /// Send the awaited command again, byte for byte, as if for the first time.
    Retry,
    /// Go on as if the answer had come. Where a later step needs what the answer would have told, it is refused.
    Skip,
    /// Go back, the current step included. Behind the pivot that is a cancellation, and possible until the kitchen is told.
    SendBack,
}

impl From<Action> for saga::Intervention {
    fn from(action: Action) -> Self {
        match action {
            Action::Retry => Self::Retry,
            Action::Skip => Self::Skip,
            Action::SendBack => Self::SendBack,
        }
    }
}

/// Steps in: retries, skips or sends back the step at which the saga of the order stands.
#[utoipa::path(
    post,
    path = "/sagas/{id}/interventions",
    tag = "sagas",
    params(("id" = OrderId, Path)),
    request_body = Intervention,
    responses(
        (status = OK, body = SagaView),
        (status = CONFLICT, body = Problem, description = "The saga cannot do that where it stands"),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn step_in(
    State(store): State<Store>,
    State(orders): State<Orders>,
    Path(id): Path<OrderId>,
    Trace(trace): Trace,
    Json(Intervention { action, by, why }): Json<Intervention>,
) -> Result<Json<SagaView>, Problem> {
    let mut stamp = Stamp::live();
    let (ordered, desk) = (Ordered { by, why }, orders.clone());
    let given = store.transact(move |work| {
        async move {
            let input = Input::Operator {
                intervention: action.into(),
                ordered: &ordered,
            };
            desk.give(work, id.uuid(), input, Some(trace), &mut stamp)
                .await
        }
        .boxed()
    });
    let given = given.await.map_err(|error| match error {
        // For instance a later step that needs what the skipped answer would have told.
        GiveError::Fault(fault) => Problem::conflict(format!("the saga of order {id}: {fault}")),
        GiveError::Database(error) => error.into(),
    });
    let Given { verdict, .. } = given?.ok_or_else(|| no_order(id))?;
    if let Verdict::Refused(refusal) = verdict {
        return Err(refused(id, refusal));
    }
    Ok(Json(tell(&store, &orders, id).await?))
}

fn refused(id: OrderId, refusal: Refusal) -> Problem {
    let hint = match refusal {
        Refusal::NothingAwaited => "; it waits for somebody, which can be skipped",
        Refusal::TooLate => "; from here on only the kitchen can let it be cancelled",
        Refusal::GoingBack => "; its undo can be retried or skipped",
        Refusal::Ended | Refusal::NotProvided => "",
    };
    Problem::conflict(format!("the saga of order {id}: {refusal}{hint}"))
}
