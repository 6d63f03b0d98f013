//! The tables of this service.

mod customers;
mod verifications;

pub use customers::{change_state, find, insert};
pub use verifications::{Known, decided, know};
