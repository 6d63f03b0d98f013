//! The process of order-view.

use std::process::ExitCode;

use order_view::{Config, NAME, PORT, run};

fn main() -> ExitCode {
    service::main::<Config, _, _>(NAME, PORT, run)
}
