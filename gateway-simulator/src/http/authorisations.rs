//! `POST /v1/authorisations`: holds an amount on a card.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use service::{
    Problem,
    extract::{IdempotencyKey, Json},
};

use super::{Gateway, answer};
use crate::domain::{Amount, Answer, Command};

/// What to hold.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAuthorisation {
    /// Stands for the card.
    #[garde(length(min = 1, max = 100))]
    token: String,
    /// How much.
    #[garde(dive)]
    amount: Amount,
    /// What the merchant calls it.
    #[garde(length(min = 1, max = 100))]
    reference: String,
}

/// Holds an amount. A declined hold is an answer, not a problem.
#[utoipa::path(
    post, path = "/v1/authorisations", request_body = NewAuthorisation,
    params(("Idempotency-Key" = String, Header, description = "Asked again with it, nothing happens again")),
    responses((status = 200, body = Answer), Problem)
)]
pub(super) async fn create(
    State(gateway): State<Gateway>,
    key: IdempotencyKey,
    Json(NewAuthorisation {
        token,
        amount,
        reference,
    }): Json<NewAuthorisation>,
) -> Result<Response, Problem> {
    answer::to(
        &gateway,
        key,
        Command::Authorise {
            token,
            reference,
            amount,
        },
    )
    .await
}
