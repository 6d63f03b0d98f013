//! `simulation`: runs seeds, or one of them with everything that happens.

use std::process::ExitCode;

use clap::Parser;
use simulation::{Plan, run};

/// Runs all services in one process, under a virtual clock, with everything that can go wrong between them.
#[derive(Debug, Parser)]
struct Cli {
    /// Runs this seed, and prints everything that happens
    #[arg(long)]
    seed: Option<u64>,
    /// Runs so many seeds
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0)]
    from: u64,
}

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    let (seeds, log) = match cli.seed {
        Some(seed) => (seed..=seed, true),
        None => (
            cli.from..=cli.from.saturating_add(cli.seeds).saturating_sub(1),
            false,
        ),
    };
    let mut code = ExitCode::SUCCESS;
    for seed in seeds {
        let plan = Plan::of(seed);
        match run(&plan, log) {
            Ok(report) => {
                for line in report.log {
                    println!("{line}");
                }
                if log {
                    println!("seed {seed}: {} events, {:?}", report.events, report.ends);
                }
            }
            Err((violation, log)) => {
                for line in log {
                    println!("{line}");
                }
                println!("{violation}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
