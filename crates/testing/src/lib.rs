//! A database and topics of its own for every test, on real servers.
#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "this crate is test code: a broken precondition should end the test at once, with its reason"
)]

mod aging;
mod client;
mod database;
mod kafka;
mod line;
mod log;
mod messages;
mod servers;
mod wait;

pub use aging::age;
pub use client::{Answer, Client};
pub use database::{Database, Migrations};
pub use kafka::Topics;
pub use line::{Break, Line};
pub use log::Log;
pub use messages::{Told, id_of_days_ago, message, outbox, replies_to};
pub use servers::Servers;
pub use wait::eventually;
