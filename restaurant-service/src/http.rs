//! What restaurateurs see and do.

mod add_restaurant;
mod find_restaurant;
mod find_ticket;
mod list_restaurants;
mod menu;
mod read_menu;
mod replace_menu;
mod text;
mod view;

use messaging::Store;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The service's own paths.
#[must_use]
pub fn router(store: Store) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(add_restaurant::add_restaurant))
        .routes(routes!(list_restaurants::list_restaurants))
        .routes(routes!(find_restaurant::find_restaurant))
        .routes(routes!(replace_menu::replace_menu))
        .routes(routes!(read_menu::read_menu))
        .routes(routes!(find_ticket::find_ticket))
        .with_state(store)
}
