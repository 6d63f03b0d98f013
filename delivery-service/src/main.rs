//! The process of delivery-service.

use std::process::ExitCode;

use delivery_service::{Config, NAME, PORT, run};

fn main() -> ExitCode {
    service::main::<Config, _, _>(NAME, PORT, run)
}
