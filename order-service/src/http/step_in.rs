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
    /// The step at which the saga was seen. If it stands at another one by now, nothing is done (409): so a request that is
    /// repeated does not meet the next step.
    #[garde(length(chars, min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100, example = "cook")]
    step: String,
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
    /// Go on as if the answer had come, or the event had happened: only where the saga is STUCK or WAITING, never for the
    /// payment's authorisation, and never for the kitchen's word on a cancellation.
    Skip,
    /// Go back, the current step included. Behind the pivot that is a cancellation, and possible until the kitchen is told;
    /// of a cancellation for which the kitchen's word stays out (STUCK), it takes yours for it.
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
        (status = CONFLICT, body = Problem, description = "The saga stands at another step, or cannot do that where it stands"),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn step_in(
    State(store): State<Store>,
    State(orders): State<Orders>,
    Path(id): Path<OrderId>,
    Trace(trace): Trace,
    Json(Intervention {
        action,
        step: seen,
        by,
        why,
    }): Json<Intervention>,
) -> Result<Json<SagaView>, Problem> {
    let mut stamp = Stamp::live();
    let (ordered, step, desk) = (Ordered { by, why }, seen.clone(), orders.clone());
    let given = store.transact(move |work| {
        async move {
            let input = Input::Operator {
                intervention: action.into(),
                step: &step,
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
    let Given { verdict, step, .. } = given?.ok_or_else(|| no_order(id))?;
    if let Verdict::Refused(refusal) = verdict {
        return Err(refused(id, refusal, &seen, &step));
    }
    Ok(Json(tell(&store, &orders, id).await?))
}

fn refused(id: OrderId, refusal: Refusal, seen: &str, step: &str) -> Problem {
    let hint = match refusal {
        Refusal::AnotherStep => format!(", `{step}`, and you saw `{seen}`: look again"),
        Refusal::NothingAwaited => "; it waits for somebody, which can be skipped".to_owned(),
        Refusal::TooLate => "; from here on only the kitchen can let it be cancelled".to_owned(),
        Refusal::GoingBack => "; its undo can be retried, or skipped once it is STUCK".to_owned(),
        Refusal::InTime => "; it is asked for again by itself, until it is STUCK".to_owned(),
        Refusal::Pivot => {
            format!("; what follows rests on the answer to `{step}`: send it back, or retry")
        }
        Refusal::Arbitrated => {
            "; retry asks the kitchen again, and once that is STUCK, send it back \
                                if you answer for the kitchen that it will not be cooked"
                .to_owned()
        }
        Refusal::Ended | Refusal::NotProvided => String::new(),
    };
    Problem::conflict(format!("the saga of order {id}: {refusal}{hint}"))
}
