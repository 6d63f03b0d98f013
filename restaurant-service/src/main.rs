//! The process of restaurant-service.

use std::process::ExitCode;

use restaurant_service::{Config, NAME, PORT, run};

fn main() -> ExitCode {
    service::main::<Config, _, _>(NAME, PORT, run)
}
