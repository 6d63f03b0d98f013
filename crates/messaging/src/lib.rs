//! Messaging between services that stay consistent without distributed transactions.
#![doc = include_str!("../README.md")]

pub mod consumer;
mod doorbell;
mod fault;
mod handler;
pub mod history;
mod inbox;
mod incoming;
mod message;
mod migration;
mod outbox;
pub mod parking;
mod processor;
mod rest;
pub mod retention;
pub mod sql;
mod sql_migration;
mod store;
mod together;

pub use ambient::trace::TraceParent;
pub use consumer::Consumer;
pub use doorbell::Doorbell;
pub use fault::{Fault, Verdict, judge, was_begun};
pub use handler::{Handler, Interest};
pub use history::History;
pub use incoming::{Incoming, Raw};
pub use message::{Message, Outgoing, Stamp};
pub use migration::migrations;
pub use outbox::Shards;
pub use processor::{Policy, Processor, Replays, Report, Stopped};
pub use sql_migration::sql_migration;
pub use store::{Store, UnitOfWork};
pub use together::{Joint, Together};
