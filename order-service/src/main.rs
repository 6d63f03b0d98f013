//! The process of order-service.

use std::process::ExitCode;

use order_service::{Config, NAME, PORT, run};

fn main() -> ExitCode {
    service::main::<Config, _, _>(NAME, PORT, run)
}
