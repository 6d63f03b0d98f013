//! order-service on a database of its own, without Kafka: what is told, whatever is heard.
#![expect(
    clippy::unwrap_used,
    reason = "a broken precondition should end a test at once"
)]

mod admission;
mod batches;
mod cancel;
mod deadlines;
mod definition;
mod early;
mod http;
mod idempotency;
mod life;
mod matrix;
mod operators;
mod process;
mod support;
