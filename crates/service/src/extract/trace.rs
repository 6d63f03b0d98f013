//! The step of the trace that a request is.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::trace::TraceParent;

/// The request's own step of its trace: what the messages that follow from it name as their cause.
#[derive(Debug, Clone, Copy)]
pub struct Trace(pub TraceParent);

impl<S: Sync> FromRequestParts<S> for Trace {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let trace = parts.extensions.get::<TraceParent>().copied();
        Ok(Self(trace.unwrap_or_else(TraceParent::new_root)))
    }
}
