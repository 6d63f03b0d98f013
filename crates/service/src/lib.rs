//! Everything that the processes of a system have in common, so that a service holds only what is its own.
#![doc = include_str!("../README.md")]

pub mod aging;
mod context;
pub mod database;
pub mod extract;
pub mod health;
pub mod http;
pub mod idempotency;
pub mod problem;
mod process;
pub mod settings;
pub mod telemetry;
pub mod trace;

pub use context::Context;
pub use problem::Problem;
pub use process::main;
pub use settings::Settings;
