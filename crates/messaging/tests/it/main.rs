//! Messaging on a real Postgres and a real Kafka.
#![expect(
    clippy::expect_used,
    reason = "tests: a broken precondition ends the test with its reason"
)]

mod aging;
mod consumer;
mod counter;
mod discard;
mod history;
mod inbox;
mod lines;
mod logbook;
mod newcomers;
mod processor;
mod replay;
mod together;
