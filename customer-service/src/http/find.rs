//! `GET /customers/{id}`: a customer.

use axum::extract::State;
use contracts::CustomerId;
use messaging::Store;
use service::{
    Problem,
    extract::{Json, Path},
};

use super::view::{CustomerView, unknown};
use crate::store;

/// A customer.
#[utoipa::path(
    get,
    path = "/customers/{customerId}",
    tag = "customers",
    params(("customerId" = CustomerId, Path)),
    responses(
        (status = OK, body = CustomerView),
        (status = NOT_FOUND, body = Problem),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn find_customer(
    State(store): State<Store>,
    Path(id): Path<CustomerId>,
) -> Result<Json<CustomerView>, Problem> {
    let found = store::find(store.db(), id).await?;
    found
        .map(|customer| Json(customer.into()))
        .ok_or_else(|| unknown(id))
}
