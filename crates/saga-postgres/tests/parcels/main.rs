//! The runtime, tried on a saga that sends parcels.
#![expect(
    clippy::unwrap_used,
    reason = "a broken precondition should end a test at once"
)]

mod history;
mod instances;
mod parcel;
mod versions;
