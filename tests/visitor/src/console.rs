//! What people read while it runs and afterwards. A closed pipe is no error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

/// How often a line comes where there is no terminal.
const LINE: Duration = Duration::from_secs(10);

/// Prints a line.
pub fn say(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// Prints an error.
pub fn complain(text: impl Display) {
    let program = std::env::args().next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    let _ = writeln!(io::stderr(), "{name}: {text}");
}

/// How far it is: a bar on a terminal, otherwise a line now and then.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    begin: Instant,
    length: Duration,
    next: Instant,
}

impl Progress {
    /// Begins something that takes so long.
    pub fn begin(length: Duration) -> Self {
        let bar = io::stderr()
            .is_terminal()
            .then(|| ProgressBar::new(length.as_secs()));
        let style = ProgressStyle::with_template("{elapsed:>5} [{bar:30}] {msg}");
        if let (Some(bar), Ok(style)) = (&bar, style) {
            bar.set_style(style);
        }
        let begin = Instant::now();
        Self {
            bar,
            begin,
            length,
            next: begin + LINE,
        }
    }

    /// Tells where it is.
    pub fn tell(&mut self, text: &str) {
        let elapsed = self.begin.elapsed();
        if let Some(bar) = &self.bar {
            bar.set_position(elapsed.as_secs());
            bar.set_message(text.to_owned());
        } else if Instant::now() >= self.next {
            self.next += LINE;
            say(format_args!(
                "{:4.0} of {:.0} s  {text}",
                elapsed.as_secs_f64(),
                self.length.as_secs_f64()
            ));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
