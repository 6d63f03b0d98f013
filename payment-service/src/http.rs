//! What customers and operators ask over HTTP.

mod create_payment_method;
mod list_payments;
mod refund_payment;

use std::{sync::Arc, time::Duration};

use messaging::Store;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{gateway::Gateway, messages::Paying};

/// What the endpoints need.
#[derive(Clone)]
pub struct Api {
    /// The database.
    pub store: Store,
    /// Who turns cards into tokens.
    pub gateway: Arc<dyn Gateway>,
    /// Who opens calls to the gateway, and hands them over.
    pub paying: Paying,
    /// How long a request with an `Idempotency-Key` may take to exchange its card. If it was not heard of again by then,
    /// the next one with the key may.
    pub lease: Duration,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// The service's own paths.
#[must_use]
pub fn router(api: Api) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(create_payment_method::create_payment_method))
        .routes(routes!(list_payments::list_payments))
        .routes(routes!(refund_payment::refund_payment))
        .with_state(api)
}
