//! What customers do and see.

mod get_order;
mod get_saga;
mod place_order;

use axum::extract::FromRef;
use messaging::Store;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::messages::Orders;

/// What the endpoints share.
#[derive(Clone, FromRef)]
struct Shared {
    store: Store,
    orders: Orders,
}

/// The service's own paths.
#[must_use]
pub fn router(store: Store, orders: Orders) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(place_order::place_order))
        .routes(routes!(get_order::get_order))
        .routes(routes!(get_saga::get_saga))
        .with_state(Shared { store, orders })
}
