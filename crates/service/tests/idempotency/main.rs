//! `Idempotency-Key` on a real Postgres, through the whole router of a small service.
#![expect(
    clippy::unwrap_used,
    reason = "test code: what breaks should end the test"
)]

mod answers;
mod concurrency;
mod days;
mod notes;
mod reservations;
mod together;
