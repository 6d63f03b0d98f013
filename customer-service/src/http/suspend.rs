//! `POST /customers/{id}/suspend` and `…/resume`: whether a customer may order.
//!
//! It decides about orders that are verified from now on; a verdict that was given stays.

use axum::extract::State;
use contracts::CustomerId;
use messaging::Store;
use service::{
    Problem,
    extract::{Json, Path},
};

use super::view::{CustomerView, unknown};
use crate::{domain::CustomerState, store};

/// From now on the customer may not order. Repeating it changes nothing and succeeds.
#[utoipa::path(
    post,
    path = "/customers/{customerId}/suspend",
    tag = "customers",
    params(("customerId" = CustomerId, Path)),
    responses(
        (status = OK, body = CustomerView),
        (status = NOT_FOUND, body = Problem),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn suspend_customer(
    State(store): State<Store>,
    Path(id): Path<CustomerId>,
) -> Result<Json<CustomerView>, Problem> {
    change(&store, id, CustomerState::Suspended).await
}

/// From now on the customer may order again. Repeating it changes nothing and succeeds.
#[utoipa::path(
    post,
    path = "/customers/{customerId}/resume",
    tag = "customers",
    params(("customerId" = CustomerId, Path)),
    responses(
        (status = OK, body = CustomerView),
        (status = NOT_FOUND, body = Problem),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn resume_customer(
    State(store): State<Store>,
    Path(id): Path<CustomerId>,
) -> Result<Json<CustomerView>, Problem> {
    change(&store, id, CustomerState::Active).await
}

async fn change(
    store: &Store,
    id: CustomerId,
    state: CustomerState,
) -> Result<Json<CustomerView>, Problem> {
    let changed = store::change_state(store.db(), id, state, ambient::now()).await?;
    changed
        .map(|customer| Json(customer.into()))
        .ok_or_else(|| unknown(id))
}
