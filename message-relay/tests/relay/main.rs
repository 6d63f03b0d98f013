//! The relay on a real Postgres and a real Kafka.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers are test code too: a broken precondition ends the test"
)]

mod gaps;
mod growth;
mod kafka;
mod order;
mod owners;
mod records;
mod world;
