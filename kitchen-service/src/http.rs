//! What the people in the kitchen see and do.

mod list_cooks;
mod mark_ready;

use actions::Actions;
use messaging::Store;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use mark_ready::Ready;

/// The service's own paths.
#[must_use]
pub fn router(store: Store) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_cooks::list_cooks))
        .routes(routes!(mark_ready::mark_ready))
        .with_state(Actions::<Ready>::new(store))
}
