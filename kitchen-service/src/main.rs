//! The process of kitchen-service.

use std::process::ExitCode;

use kitchen_service::{Config, NAME, PORT, run};

fn main() -> ExitCode {
    service::main::<Config, _, _>(NAME, PORT, run)
}
