//! The process of gateway-simulator.

use std::process::ExitCode;

use gateway_simulator::{Config, NAME, PORT, run};

fn main() -> ExitCode {
    service::main::<Config, _, _>(NAME, PORT, run)
}
