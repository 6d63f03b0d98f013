//! Runs sagas on Postgres.
#![doc = include_str!("../README.md")]

mod data;
mod definitions;
mod history;
mod list;
mod migration;
mod orchestrator;
mod publication;
mod publish;
mod row;
mod save;
mod silence;
mod story;
mod under_way;
mod world;

pub use data::{Data, Fragment};
pub use definitions::{Definitions, Invalid};
pub use history::history;
pub use list::{Filter, Glance, list};
pub use migration::migrations;
pub use orchestrator::{Beginning, GiveError, Given, Orchestrator};
pub use silence::Silence;
pub use story::{Story, story};
pub use under_way::under_way;
pub use world::{Counts, World};
