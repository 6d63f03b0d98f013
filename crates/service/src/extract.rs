//! Extractors whose rejections are problems that name the field.
//!
//! What a client sent is never repeated in an answer: it may be a card number in the wrong place.

mod complaint;
mod idempotency;
mod json;
mod keyed;
mod path;
mod query;
mod trace;

pub use idempotency::IdempotencyKey;
pub use json::{Json, OptionalJson};
pub use keyed::Keyed;
pub use path::Path;
pub use query::Query;
pub use trace::Trace;
