//! `Idempotency-Key`: a request that creates something happens once, however often it is sent.
//!
//! As in the IETF draft "The Idempotency-Key HTTP Header Field" (draft-ietf-httpapi-idempotency-key-header). A handler
//! takes [`Keyed`](crate::extract::Keyed) instead of `Json` and hands its work to [`Once`]: key and answer are written in
//! the transaction of the work, so that neither is ever there without the other. A request with a known key gets the first answer
//! again, byte for byte; with another body it is refused (422). A request without the header costs nothing.
//!
//! - The **scope** of a key is its operation: method and path. There are no users here yet; once there are tokens, their
//!   subject becomes a part of the operation, so that nobody can meet the keys of others.
//! - The **fingerprint** of a body is the SHA-256 of what was understood of it, as JSON with sorted names: see [`Once::named`].
//! - **Errors are not remembered.** What failed left nothing behind, its key included, and may be tried again with the same key.
//! - Keys are **forgotten** by the day: see [`forget`].
//!
//! The table is added by [`migrations`], which every service that uses this puts among its own.

mod answer;
mod api;
mod fingerprint;
mod keys;
mod migration;
mod once;
mod reservation;

pub use answer::{Answer, REPLAYED};
pub use keys::{Taken, forget};
pub use migration::migrations;
pub use once::Once;
