//! Asks a service as its clients do, without a socket in between.

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response, header},
};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Client(Router);

/// What a service answers: its status, and its body as JSON (null where there is none).
pub type Answer = (u16, Value);

impl Client {
    /// A client of the service with these routes.
    #[must_use]
    pub const fn new(router: Router) -> Self {
        Self(router)
    }

    /// `GET`
    ///
    /// # Panics
    /// The answer is no JSON.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    /// `POST` with a JSON body.
    ///
    /// # Panics
    /// The answer is no JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, Some(body)).await
    }

    /// Any method, with a JSON body or without one.
    ///
    /// # Panics
    /// The answer is no JSON.
    pub async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let request = Request::builder().method(method).uri(path);
        let request = match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.expect("a request")).await
    }

    /// `POST` with a JSON body, as a request that its client calls `key`.
    ///
    /// # Panics
    /// The key is no header's value.
    pub async fn post_as(&self, key: &str, path: &str, body: &str) -> Response<Bytes> {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", key)
            .body(Body::from(body.to_owned()));
        self.exchange(request.expect("a request")).await
    }

    /// Any request.
    ///
    /// # Panics
    /// The answer is no JSON.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.exchange(request).await;
        let status = response.status().as_u16();
        let body = response.into_body();
        if body.is_empty() {
            return (status, Value::Null);
        }
        (
            status,
            serde_json::from_slice(&body).expect("an answer in JSON"),
        )
    }

    /// Any request; the answer as it is, read to its end.
    ///
    /// # Panics
    /// The answer breaks off.
    pub async fn exchange(&self, request: Request<Body>) -> Response<Bytes> {
        let Ok(response) = self.0.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Response::from_parts(parts, body)
    }
}
