//! The promises, in many runs.

mod cancels;
mod crowd;
mod defects;
mod matrix;
mod seeds;
