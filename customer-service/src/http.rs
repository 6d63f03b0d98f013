//! Registering customers, and deciding who may order.

mod find;
mod register;
mod suspend;
mod view;

use messaging::Store;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The service's own paths.
#[must_use]
pub fn router(store: Store) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(register::register_customer))
        .routes(routes!(find::find_customer))
        .routes(routes!(suspend::suspend_customer))
        .routes(routes!(suspend::resume_customer))
        .with_state(store)
}
