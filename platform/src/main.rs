//! `platform`: brings the whole system up on one machine, keeps it up, and takes it down again.
//!
//! `up` is the operator's command. It describes what must run ([`processes`]) and hands that to a
//! daemon ([`supervisor`]) through a file; the daemon keeps it true. Everything else is files too:
//! who runs ([`run`]), who knows which password ([`secrets`]), what was printed (the logs). So any
//! process can be killed at any moment, the daemon included, and the next `up` finds its way.

mod clean;
mod command;
mod console;
mod daemon;
mod databases;
mod demo;
mod down;
mod files;
mod greeting;
mod keeper;
mod known;
mod layout;
mod logs;
mod ports;
mod processes;
mod provision;
mod ready;
mod run;
mod secrets;
mod servers;
mod settings;
mod signals;
mod spec;
mod status;
mod supervisor;
mod test_platform;
mod test_servers;
mod topics;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::settings::Settings;

/// Runs the food-delivery platform on this machine.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start what is not running, restart what changed, wait until all is ready, load demo data
    Up,
    /// Stop everything; the data stays
    Down,
    /// Tell what runs; exits with 3 when something does not
    Status,
    /// Follow the logs of all processes, or of those named
    Logs {
        /// Names as `status` shows them
        names: Vec<String>,
    },
    /// Create databases, roles and topics on the servers at DATABASE_URL and KAFKA_BROKERS
    Provision,
    /// Load the demo data into the databases of services that have run before
    Demo,
    /// End one process cleanly and wait until its successor is ready
    Restart {
        /// The name as `status` shows it
        name: String,
    },
    /// Send a signal to one process: SIGTERM, or SIGKILL with -9
    Kill {
        /// The name as `status` shows it
        name: String,
        /// Send SIGKILL
        #[arg(short = '9')]
        now: bool,
    },
    /// Stop everything and remove all data, logs and passwords
    Clean,
    /// Run a command beside an empty Postgres and Kafka, which end when it ends
    TestServers {
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Run a command beside a whole platform of its own, which ends when it ends
    TestPlatform {
        /// The command and its arguments
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Tell by the exit code whether the service on this port of 127.0.0.1 is ready
    Ready {
        /// Its port
        port: u16,
    },
    /// The daemon itself; `up` starts it
    #[command(hide = true)]
    Supervise,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match perform(&cli.settings, cli.command) {
        Ok(code) => code,
        Err(error) => {
            console::complain(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn perform(settings: &Settings, command: Command) -> anyhow::Result<ExitCode> {
    let layout = settings.layout()?;
    match command {
        Command::Up => up::run(settings, &layout).await?,
        Command::Down => down::run(&layout).await?,
        Command::Status => return status::run(&layout).await,
        Command::Logs { names } => logs::run(&layout, &names).await?,
        Command::Provision => provision::external(settings, &layout).await?,
        Command::Demo => demo::external(settings, &layout).await?,
        Command::Restart { name } => signals::restart(&layout, &name).await?,
        Command::Kill { name, now } => signals::kill(&layout, &name, now)?,
        Command::Clean => clean::run(&layout).await?,
        Command::TestServers { command } => return test_servers::run(&command).await,
        Command::TestPlatform { command } => return test_platform::run(settings, &command).await,
        Command::Ready { port } => return ready::check(port).await,
        Command::Supervise => supervisor::run(&layout).await?,
    }
    Ok(ExitCode::SUCCESS)
}
