//! How requests are run: each in a task of its own, to its end, and only so many at once.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::Problem;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What running requests takes.
#[derive(Debug, Clone)]
pub(super) struct Runner {
    pub(super) tasks: TaskTracker,
    pub(super) patience: Duration,
}

/// Middleware: runs the handler in a task of its own. Neither a client that hangs up nor our own time-out cancels it:
/// database work that is cancelled half-way can poison its connection (sqlx #4385), and nobody would know what of it
/// happened. A panic is answered, too.
pub(super) async fn in_a_task(
    State(runner): State<Runner>,
    request: Request,
    next: Next,
) -> Response {
    let task = runner.tasks.spawn(next.run(request).in_current_span());
    match tokio::time::timeout(runner.patience, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            tracing::error!(panicked = error.is_panic(), "a handler did not finish");
            let detail = "the service failed; the reason is in its log";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail).into_response()
        }
        Err(_) => {
            tracing::warn!("a request takes too long; its client was told to come back");
            let detail = "this takes too long and may still be done: look before you ask again";
            Problem::unavailable(detail, RETRY_AFTER).into_response()
        }
    }
}

/// Middleware: refuses what exceeds the places, at once. A queue would only make everybody wait.
pub(super) async fn within_places(
    State(places): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(_place) = places.try_acquire() else {
        metrics::counter!("http_requests_shed_total").increment(1);
        return Problem::unavailable("too many requests at once", RETRY_AFTER).into_response();
    };
    next.run(request).await
}
