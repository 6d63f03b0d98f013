//! An answer that can be given again.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::Problem;

/// The header of an answer that was given before: nothing happened now.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// That something was created, in the words that every repetition of the request hears again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) location: Option<String>,
    /// JSON.
    pub(super) body: String,
    pub(super) replayed: bool,
}

impl Answer {
    /// 201: it was created, and can be found at `location`, where it has one.
    ///
    /// # Errors
    /// `body` cannot be written as JSON.
    pub fn created(location: Option<String>, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_string(body).map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            status: StatusCode::CREATED,
            location,
            body,
            replayed: false,
        })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let mut response = (self.status, [(header::CONTENT_TYPE, json)], self.body).into_response();
        let headers = response.headers_mut();
        if let Some(location) = self.location.and_then(|path| path.parse().ok()) {
            headers.insert(header::LOCATION, location);
        }
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}
