//! Tells whether orders move on, and what the longest standstill was.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Beats whenever somebody sees an order in a newer version.
#[derive(Debug)]
pub(crate) struct Pulse(Mutex<State>);

#[derive(Debug, Clone, Copy)]
struct State {
    last: Instant,
    longest: Duration,
}

impl Pulse {
    /// It counts from now on.
    pub(crate) fn begin() -> Self {
        Self(Mutex::new(State {
            last: Instant::now(),
            longest: Duration::ZERO,
        }))
    }

    /// An order has moved on.
    pub(crate) fn beat(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.longest = state.longest.max(state.last.elapsed());
        state.last = Instant::now();
    }

    /// The longest span in which no order moved on, which may be the present one.
    pub(crate) fn longest(&self) -> Duration {
        let state = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.longest.max(state.last.elapsed())
    }
}
