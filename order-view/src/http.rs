//! The queries.

mod get_order;
mod get_ticket;
mod list_orders;
mod list_tickets;
mod order;
mod rebuild;
mod ticket;

use std::time::Duration;

use sea_orm::DatabaseConnection;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::waiters::Waiters;

/// What the queries need.
#[derive(Debug, Clone)]
pub struct View {
    db: DatabaseConnection,
    waiters: Waiters,
    patience: Duration,
}

impl View {
    /// `patience` is how long a reader may wait for a version.
    #[must_use]
    pub const fn new(db: DatabaseConnection, waiters: Waiters, patience: Duration) -> Self {
        Self {
            db,
            waiters,
            patience,
        }
    }
}

/// The service's own paths.
#[must_use]
pub fn router(view: View) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(get_order::get_order))
        .routes(routes!(list_orders::list_orders))
        .routes(routes!(get_ticket::get_ticket))
        .routes(routes!(list_tickets::list_tickets))
        .routes(routes!(rebuild::ask, rebuild::list))
        .routes(routes!(rebuild::find, rebuild::give_up))
        .with_state(view)
}
