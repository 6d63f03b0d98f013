//! How long the history of sagas is kept.

use messaging::retention::Days;

/// The history of sagas, of which `keep` whole days are kept besides today: by the day on which a saga began, and that of one that has
/// not ended until it has.
#[must_use]
pub const fn history(keep: u32) -> Days {
    Days {
        table: "saga_history",
        keep,
    }
}
