//! Forgetting: what is not kept for ever, and how it goes without being felt.
//!
//! - [`Days`]: tables of which a whole day is dropped at a time.
//! - [`Finished`]: tables from which a row goes when what it is about has ended, some days after it began.

mod days;
mod finished;
mod horizon;

use std::time::Duration;

pub(crate) use days::INBOX;
pub use days::{Days, maintain};
pub use finished::{Aging, Finished};
pub use horizon::Horizon;

const EVERY: Duration = Duration::from_secs(60 * 60);
/// When to try again what did not work.
const RETRY: Duration = Duration::from_secs(60);
