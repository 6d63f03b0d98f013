//! What the operator reads. A closed pipe (`platform status | head`) is no error.

use std::fmt::Display;
use std::io::{self, Write};
use std::time::Instant;

/// Prints a line.
pub(crate) fn say(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints an error.
pub(crate) fn complain(text: impl Display) {
    let _ = writeln!(io::stderr(), "platform: {text}");
}

/// Lines with the seconds since the start, so that a wait shows what it waits for.
#[derive(Debug)]
pub(crate) struct Progress(Instant);

impl Progress {
    /// Starts the clock.
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Prints a line of progress.
    pub(crate) fn say(&self, text: impl Display) {
        say(format_args!(
            "[{:5.1} s] {text}",
            self.0.elapsed().as_secs_f64()
        ));
    }
}
