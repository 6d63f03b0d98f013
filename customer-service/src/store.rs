//! The tables of this service.

mod customers;
mod verifications;

use messaging::retention::Finished;

pub use customers::{change_state, find, insert};
pub use verifications::{Known, decided, know};

/// A verdict is final as soon as it is given.
pub const FINISHED: Finished = Finished {
    table: "verifications",
    key: "order_id",
    ended: "true",
    along: &[],
};
