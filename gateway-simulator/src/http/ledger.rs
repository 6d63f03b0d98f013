//! `GET /v1/ledger` and `GET /v1/ledger/summary`: what happened to the money.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Query},
};

use super::Gateway;
use crate::store::{Line, Summary};

/// Which entries.
#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// What the merchant calls it: the id of the order.
    #[garde(length(min = 1, max = 100))]
    reference: String,
}

/// Entries of the ledger.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Lines {
    /// In the order in which they happened.
    entries: Vec<Line>,
}

/// Everything that happened under one reference.
#[utoipa::path(get, path = "/v1/ledger", params(Filter), responses((status = 200, body = Lines), Problem))]
pub(super) async fn lines(
    State(gateway): State<Gateway>,
    Query(filter): Query<Filter>,
) -> Result<Json<Lines>, Problem> {
    let entries = gateway.store.lines(&filter.reference).await?;
    Ok(Json(Lines { entries }))
}

/// The whole ledger on one page: who was charged twice, if anybody was.
#[utoipa::path(get, path = "/v1/ledger/summary", responses((status = 200, body = Summary), Problem))]
pub(super) async fn summary(State(gateway): State<Gateway>) -> Result<Json<Summary>, Problem> {
    Ok(Json(gateway.store.summary().await?))
}
