//! The process of customer-service.

use std::process::ExitCode;

use customer_service::{Config, NAME, PORT, run};

fn main() -> ExitCode {
    service::main::<Config, _, _>(NAME, PORT, run)
}
