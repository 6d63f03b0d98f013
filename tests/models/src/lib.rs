//! Two protocols, with every state that they can reach at small sizes.
#![doc = include_str!("../README.md")]

pub mod relay_lease;
pub mod saga_protocol;

// The relay's own code, where it is pure: what is checked is what runs. The package itself would bring Kafka's client and
// Postgres' into a model that needs neither.
#[path = "../../../message-relay/src/cursor.rs"]
pub mod cursor;
#[path = "../../../message-relay/src/inquest.rs"]
pub mod inquest;
#[path = "../../../message-relay/src/ranges.rs"]
pub mod ranges;
