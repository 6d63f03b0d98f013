//! Cards, payment methods and the payment of one order. Pure: ids and times come in as values.

mod answer;
pub mod card;
mod command;
mod method;
mod payment;
mod secret;

pub use answer::Answer;
pub use card::{Card, Expiry};
pub use command::{Command, Intent};
pub use method::Method;
pub use payment::{Outcome, Payment, Terms, Unsettled};
pub use secret::Secret;
