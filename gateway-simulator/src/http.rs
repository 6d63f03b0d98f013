//! The REST API.

mod actions;
mod answer;
mod authorisations;
mod ledger;
mod tokens;

use std::time::Duration;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::store::Store;

/// How long answers take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delays {
    /// Every answer about money.
    pub latency: Duration,
    /// The first answer to each key, for a card that answers late, on top of that.
    pub late: Duration,
}

/// What the handlers share.
#[derive(Debug, Clone)]
struct Gateway {
    store: Store,
    delays: Delays,
}

/// All routes.
pub fn router(store: Store, delays: Delays) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(tokens::create))
        .routes(routes!(authorisations::create))
        .routes(routes!(actions::capture))
        .routes(routes!(actions::void))
        .routes(routes!(actions::refund))
        .routes(routes!(ledger::lines))
        .routes(routes!(ledger::references))
        .routes(routes!(ledger::summary))
        .with_state(Gateway { store, delays })
}
