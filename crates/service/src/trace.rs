//! Puts every request into a trace (W3C Trace Context), a span and the metrics.

use std::time::Instant;

pub use ambient::trace::TraceParent;
use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, Method},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;

/// The header that carries the trace from process to process.
pub const HEADER: &str = "traceparent";
/// The route of requests that match none: paths that clients make up must not become labels.
const UNMATCHED: &str = "(unmatched)";

/// Middleware: the handler finds its own step of the client's trace, or of a new one, in the request's extensions.
/// Bodies and query strings are never logged.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let trace = parent(request.headers()).map_or_else(TraceParent::new_root, TraceParent::child);
    request.extensions_mut().insert(trace);
    let method = method(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or(UNMATCHED, MatchedPath::as_str)
        .to_owned();
    let trace_id = format!("{:032x}", trace.trace_id());
    let span = tracing::info_span!("request", trace_id, method, route);
    async {
        let started = Instant::now();
        let response = next.run(request).await;
        let seconds = started.elapsed().as_secs_f64();
        let status = response.status();
        tracing::debug!(status = status.as_u16(), seconds, "answered");
        let labels = [("method", method.to_owned()), ("route", route.clone())];
        metrics::histogram!("http_request_duration_seconds", &labels).record(seconds);
        let [method, route] = labels;
        let labels = [method, route, ("status", status.as_str().to_owned())];
        metrics::counter!("http_requests_total", &labels).increment(1);
        response
    }
    .instrument(span)
    .await
}

/// The trace that the client is part of. One that cannot be read, or several, count as none, as the standard asks.
fn parent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut values = headers.get_all(HEADER).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok()?.parse().ok(),
        _ => None,
    }
}

/// Clients may make up methods, too.
const fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
