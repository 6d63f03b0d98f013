//! What customers and operators ask over HTTP.

mod create_payment_method;
mod list_payments;

use std::sync::Arc;

use messaging::Store;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::gateway::Gateway;

/// What the endpoints need.
#[derive(Clone)]
pub struct Api {
    /// The database.
    pub store: Store,
    /// Who turns cards into tokens.
    pub gateway: Arc<dyn Gateway>,
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
        .with_state(api)
}
