//! payment-service on a real Postgres, with a scripted gateway and with the real simulator.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests are test code, too: a broken precondition should end the test at once"
)]

mod cards;
mod crashes;
mod payments;
mod process;
mod refunds;
mod repeats;
mod scene;
mod scripted;
mod secrets;
mod simulator;
