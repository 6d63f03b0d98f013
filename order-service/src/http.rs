//! What customers and operators do and see.

mod cancel_order;
mod get_order;
mod get_saga;
mod glance;
mod list_sagas;
mod place_order;
mod step_in;

use axum::extract::FromRef;
use contracts::OrderId;
use messaging::Store;
use service::Problem;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Admission, messages::Orders};
use place_order::{Desk, Placing};

/// What the endpoints share.
#[derive(Clone, FromRef)]
struct Shared {
    store: Store,
    orders: Orders,
    admission: Admission,
    desk: Desk,
}

/// The service's own paths.
#[must_use]
pub fn router(store: Store, orders: Orders, admission: Admission) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(place_order::place_order))
        .routes(routes!(get_order::get_order))
        .routes(routes!(cancel_order::cancel_order))
        .routes(routes!(get_saga::get_saga))
        .routes(routes!(list_sagas::list_sagas))
        .routes(routes!(step_in::step_in))
        .with_state(Shared {
            desk: Desk::new(store.clone(), Placing),
            store,
            orders,
            admission,
        })
}

fn no_order(id: OrderId) -> Problem {
    Problem::not_found(format!("there is no order {id}"))
}
