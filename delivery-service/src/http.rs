//! What couriers see and do.

mod complete;
mod list_ready;
mod pick_up;
mod step;

use actions::Actions;
use messaging::Store;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use step::{COMPLETE, PICK_UP, Step};

/// The service's own paths.
#[must_use]
pub fn router(store: Store) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list_ready::list_ready))
        .routes(routes!(pick_up::pick_up))
        .routes(routes!(complete::complete))
        .with_state(Actions::<Step>::new(store))
}
