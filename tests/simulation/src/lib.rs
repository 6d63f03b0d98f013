//! All services in one process, under a virtual clock, with everything that can go wrong between them.
#![doc = include_str!("../README.md")]

mod agenda;
mod broker;
mod city;
mod defect;
mod dice;
mod ids;
mod judge;
pub mod matrix;
mod network;
mod plan;
mod services;
mod witness;

use std::fmt;

pub use agenda::Moment;
pub use city::{Report, run};
pub use defect::Defect;
pub use judge::End;
pub use plan::{Fault, Outage, Owner, Plan, Scripted, Story, Thing, Weather, When};

/// A promise was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The seed of the run.
    pub seed: u64,
    /// When.
    pub at: Moment,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, at, what } = self;
        write!(
            f,
            "seed {seed}, at{at}: {what}\n  again, with all that happened: cargo run --release -p simulation -- --seed {seed}"
        )
    }
}

impl std::error::Error for Violation {}
