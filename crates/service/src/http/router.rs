//! Puts a service's routes, the standard paths and all limits together.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    middleware::{from_fn, from_fn_with_state},
};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ComponentsBuilder, InfoBuilder, OpenApi},
};
use utoipa_axum::router::OpenApiRouter;

use super::{
    bodies, fallback,
    limits::Limits,
    requests::{Runner, in_a_task, within_places},
    standard,
};
use crate::{Problem, health::Health, trace};

/// The whole router of the service `name`, as [`crate::Context::serve`] serves it.
///
/// # Errors
/// The description of the API cannot be written as JSON.
pub fn router(
    name: &str,
    routes: OpenApiRouter,
    health: &Health,
    tasks: &TaskTracker,
    limits: Limits,
) -> serde_json::Result<Router> {
    let (routes, openapi) = routes.split_for_parts();
    let openapi = Bytes::from(serde_json::to_vec(&described(name, openapi))?);
    let places = Arc::new(Semaphore::new(limits.requests));
    let runner = Runner {
        tasks: tasks.clone(),
        patience: limits.request_time,
    };
    // The places are inside the task: they count what runs, also when nobody waits for it any more.
    Ok(routes
        .layer(from_fn_with_state(places, within_places))
        .merge(standard::router(health.clone(), openapi))
        .fallback(fallback::not_found)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .layer(from_fn_with_state(runner, in_a_task))
        .layer(from_fn_with_state(limits, bodies::whole))
        .layer(from_fn(trace::observe)))
}

/// Completes what the routes tell about themselves.
fn described(name: &str, mut openapi: OpenApi) -> OpenApi {
    openapi.info = InfoBuilder::new()
        .title(name)
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    let mut components = openapi
        .components
        .take()
        .unwrap_or_else(|| ComponentsBuilder::new().build());
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    openapi.components = Some(components);
    openapi
}
