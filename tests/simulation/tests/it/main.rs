//! The promises, in many runs.
#![expect(
    clippy::unwrap_used,
    reason = "a broken precondition should end a test at once"
)]

mod cancels;
mod crowd;
mod defects;
mod matrix;
mod refunds;
mod seeds;
