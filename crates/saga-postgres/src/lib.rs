//! Runs sagas on Postgres.
#![doc = include_str!("../README.md")]

mod data;
mod definitions;
mod migration;
mod orchestrator;
mod publish;
mod row;
mod save;
mod story;
mod world;

pub use data::{Data, Fragment};
pub use definitions::{Definitions, Invalid};
pub use migration::migrations;
pub use orchestrator::{Beginning, Orchestrator};
pub use story::{Story, story};
pub use world::{Counts, World};
