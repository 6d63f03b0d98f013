//! `GET /v1/ledger`, `GET /v1/ledger/references` and `GET /v1/ledger/summary`: what happened to the money.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Query},
};

use super::Gateway;
use crate::store::{Line, Reference, Span, Summary};

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

/// Which references.
#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageOf {
    /// Only those behind this one.
    #[garde(length(max = 100))]
    after: Option<String>,
    /// Only those up to this one.
    #[garde(length(max = 100))]
    up_to: Option<String>,
    /// How many at most.
    #[serde(default = "PageOf::default_limit")]
    #[garde(range(min = 1, max = 1_000))]
    #[param(default = 100)]
    limit: u16,
}

impl PageOf {
    const fn default_limit() -> u16 {
        100
    }
}

/// References with all their entries.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct References {
    /// In the order of the references; one page of them.
    references: Vec<Reference>,
}

/// The whole ledger, page by page: what a merchant compares with his own books.
#[utoipa::path(get, path = "/v1/ledger/references", params(PageOf), responses((status = 200, body = References), Problem))]
pub(super) async fn references(
    State(gateway): State<Gateway>,
    Query(page): Query<PageOf>,
) -> Result<Json<References>, Problem> {
    let span = Span {
        after: page.after,
        up_to: page.up_to,
        limit: page.limit,
    };
    let references = gateway.store.references(span).await?;
    Ok(Json(References { references }))
}

/// The whole ledger on one page: who was charged twice, if anybody was.
#[utoipa::path(get, path = "/v1/ledger/summary", responses((status = 200, body = Summary), Problem))]
pub(super) async fn summary(State(gateway): State<Gateway>) -> Result<Json<Summary>, Problem> {
    Ok(Json(gateway.store.summary().await?))
}
