//! Every state of small worlds, and what is wrong with worlds in which something is wrong.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken precondition should end a test at once"
)]

mod checked;
mod relay_lease;
mod saga_protocol;
