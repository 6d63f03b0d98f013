//! What a client gets that sends too much, too slowly, or nonsense.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test code: what breaks should end the test"
)]

mod bodies;
mod connections;
mod limits;
mod parts;
mod standard;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode, header},
};
use http_body_util::BodyExt;
use serde_json::Value;
use service::{
    health::Health,
    http::{self, Limits},
};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Asserts that this is a problem with `status`, and gives the names of its fields.
    fn problem(&self, status: StatusCode) -> Vec<String> {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
        let problem: service::Problem = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem.status(), status);
        problem
            .errors()
            .iter()
            .map(|error| error.field.clone())
            .collect()
    }
}

/// The routes of a service, served as all services serve theirs.
fn served(routes: Router, limits: Limits) -> Router {
    let tasks = TaskTracker::new();
    http::router(
        "test-service",
        OpenApiRouter::from(routes),
        &Health::default(),
        &tasks,
        limits,
    )
    .unwrap()
}

async fn ask(router: &Router, request: Request<Body>) -> Answer {
    read(router.clone().oneshot(request).await.unwrap()).await
}

async fn read(response: Response<Body>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text,
    }
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}
