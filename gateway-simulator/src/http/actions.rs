//! `POST /v1/authorisations/{authorisationId}/capture`, `…/void` and `…/refund`: moves what is held, as a whole.

use axum::{extract::State, response::Response};
use service::{
    Problem,
    extract::{IdempotencyKey, Path},
};
use uuid::Uuid;

use super::{Gateway, answer};
use crate::domain::{Action, Answer, Command};

/// Takes the amount that is held.
#[utoipa::path(
    post, path = "/v1/authorisations/{authorisationId}/capture",
    params(("authorisationId" = Uuid, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = Answer), Problem)
)]
pub(super) async fn capture(
    gateway: State<Gateway>,
    id: Path<Uuid>,
    key: IdempotencyKey,
) -> Result<Response, Problem> {
    act(gateway, id, key, Action::Capture).await
}

/// Gives up the hold.
#[utoipa::path(
    post, path = "/v1/authorisations/{authorisationId}/void",
    params(("authorisationId" = Uuid, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = Answer), Problem)
)]
pub(super) async fn void(
    gateway: State<Gateway>,
    id: Path<Uuid>,
    key: IdempotencyKey,
) -> Result<Response, Problem> {
    act(gateway, id, key, Action::Void).await
}

/// Gives the amount back that was taken.
#[utoipa::path(
    post, path = "/v1/authorisations/{authorisationId}/refund",
    params(("authorisationId" = Uuid, Path), ("Idempotency-Key" = String, Header)),
    responses((status = 200, body = Answer), Problem)
)]
pub(super) async fn refund(
    gateway: State<Gateway>,
    id: Path<Uuid>,
    key: IdempotencyKey,
) -> Result<Response, Problem> {
    act(gateway, id, key, Action::Refund).await
}

async fn act(
    State(gateway): State<Gateway>,
    Path(authorisation): Path<Uuid>,
    key: IdempotencyKey,
    action: Action,
) -> Result<Response, Problem> {
    answer::to(
        &gateway,
        key,
        Command::Act {
            action,
            authorisation,
        },
    )
    .await
}
