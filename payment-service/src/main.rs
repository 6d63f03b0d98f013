//! The process of payment-service.

use std::process::ExitCode;

use payment_service::{Config, NAME, PORT, run};

fn main() -> ExitCode {
    service::main::<Config, _, _>(NAME, PORT, run)
}
