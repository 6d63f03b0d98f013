//! What a card network decides, without clock, randomness or I/O.

mod authorisation;
mod card;
mod command;

pub use authorisation::{Action, Amount, Authorisation, Entry, Illegal, Reason, State};
pub use card::{Behaviour, Card, Recognised, Refusal};
pub use command::{Answer, Command, Outcome};
