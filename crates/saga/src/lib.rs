//! Sagas as data: a definition that reads on one page, and one pure interpreter.
#![doc = include_str!("../README.md")]

mod builder;
mod cancellation;
mod conversation;
mod definition;
mod fault;
mod fingerprint;
mod instance;
mod interpreter;
mod mermaid;
mod outcome;
mod policy;
mod process;
mod validate;

pub use builder::{Builder, ask, saga, say, try_ask};
pub use cancellation::{Arbiter, Cancellation, until};
pub use conversation::{Action, Ask, Rule, Say};
pub use definition::{Definition, Step};
pub use fault::Fault;
pub use instance::{Awaited, Instance, Kept, Memory, Purpose, State};
pub use interpreter::{Heard, Input, Intervention, Moment, apply, start};
pub use outcome::{Effect, Ordered, Outcome, Record, Refusal, Speech, Verdict, What};
pub use policy::Policy;
pub use process::Process;
pub use validate::Invalid;
