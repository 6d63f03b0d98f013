//! How much a client may take, so that no client can take everything.

use std::time::Duration;

/// The limits of a server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body: usize,
    /// How long a client may take to send its headers, and how long a connection may be idle.
    pub header_time: Duration,
    /// How long a client may take to send a body.
    pub body_time: Duration,
    /// How long a client is kept waiting for an answer.
    pub request_time: Duration,
    /// Connections at once. More wait to be accepted.
    pub connections: usize,
    /// Requests at once, over all routes of the service. More are refused with 503.
    pub requests: usize,
    /// How long requests that are under way may take when the server stops.
    pub drain_time: Duration,
    /// Bytes of a connection's read buffer, which bounds the size of headers.
    pub buffer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 64 * 1024,
            header_time: Duration::from_secs(15),
            body_time: Duration::from_secs(10),
            request_time: Duration::from_secs(15),
            connections: 1_024,
            requests: 512,
            drain_time: Duration::from_secs(8),
            buffer: 32 * 1024,
        }
    }
}
