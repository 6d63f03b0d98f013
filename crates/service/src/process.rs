//! A process from its first line to its exit code.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, anyhow};
use clap::{Command, Parser};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;

use crate::{Context, Settings, telemetry};

/// How long a process may take to stop, from the signal on. A supervisor should wait a little longer before it kills.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);
/// What is still blocking a thread then, is left behind.
const LEAVE_BEHIND: Duration = Duration::from_millis(500);
/// The exit code of a process that was told something it cannot use, as the command line parser has it.
const UNUSABLE_SETTINGS: u8 = 2;

/// Runs a service: parses its configuration, sets up telemetry and runtime, and runs `run` until it ends, SIGTERM or
/// SIGINT arrives, or a spawned task fails.
///
/// `port` is where HTTP is served, on the loopback interface, unless `HTTP_ADDR` says otherwise.
///
/// Exit codes: 0 after a stop that was asked for, 1 after an error (logged once, with all its causes),
/// 2 when a setting cannot be used.
pub fn main<C, F, Fut>(name: &'static str, port: u16, run: F) -> ExitCode
where
    C: Parser + AsRef<Settings>,
    F: FnOnce(C, Context) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    let config: C = parse(name, port);
    let settings = config.as_ref().clone();
    if let Err(error) = settings
        .validate()
        .map_err(anyhow::Error::from)
        .and_then(|()| telemetry::start(&settings))
    {
        eprintln!("{name}: {error:#}");
        return ExitCode::from(UNUSABLE_SETTINGS);
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), ?settings, "starting");
    match run_to_the_end(&settings, |context| run(config, context)) {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("stopped by an error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Parses the command line and the environment. Exits when it cannot.
fn parse<C: Parser>(name: &'static str, port: u16) -> C {
    let matches = command::<C>(name, port).get_matches();
    C::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// The command line of a service, with the defaults that only the service knows.
fn command<C: Parser>(name: &'static str, port: u16) -> Command {
    // Lives as long as the process; the parser wants its defaults to be static.
    let address: &'static str = format!("127.0.0.1:{port}").leak();
    C::command()
        .name(name)
        .mut_arg("service_name", |argument| {
            argument.required(false).default_value(name)
        })
        .mut_arg("http_addr", |argument| {
            argument.required(false).default_value(address)
        })
}

fn run_to_the_end<F, Fut>(settings: &Settings, run: F) -> anyhow::Result<()>
where
    F: FnOnce(Context) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    let runtime = runtime(settings.worker_threads).context("the runtime cannot start")?;
    let context = Context::new(settings);
    let outcome = runtime.block_on(async {
        stop_on_signal(context.shutdown.clone())?;
        tokio::spawn(telemetry::keep_up());
        supervise(&context, SHUTDOWN_DEADLINE, run(context.clone())).await
    });
    runtime.shutdown_timeout(LEAVE_BEHIND);
    outcome
}

fn runtime(threads: u16) -> std::io::Result<Runtime> {
    match threads {
        1 => Builder::new_current_thread().enable_all().build(),
        several => Builder::new_multi_thread()
            .worker_threads(several.into())
            .enable_all()
            .build(),
    }
}

fn stop_on_signal(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be heard")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be heard")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("stopping: SIGTERM"),
            _ = interrupt.recv() => tracing::info!("stopping: SIGINT"),
        }
        shutdown.cancel();
    });
    Ok(())
}

/// Runs the service and waits for what it spawned, but not longer than the deadline.
async fn supervise(
    context: &Context,
    deadline: Duration,
    run: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let work = async {
        if let Err(error) = run.await {
            context.fail(error);
        }
        context.shutdown.cancel();
        context.tasks_to_end().await;
    };
    // What is cancelled here may leave a connection in the middle of a transaction; the process ends with it.
    tokio::select! {
        biased;
        () = work => {}
        () = overdue(context, deadline) => {}
    }
    context.outcome()
}

/// Returns when there is no point in waiting any longer.
async fn overdue(context: &Context, deadline: Duration) {
    context.shutdown.cancelled().await;
    if !context.is_serving() {
        // It still waits for its database or the like: nothing was begun, so there is nothing to finish.
        return;
    }
    tokio::time::sleep(deadline).await;
    context.fail(anyhow!("still busy {deadline:?} after the stop began"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    struct Config {
        #[command(flatten)]
        service: Settings,
    }

    #[test]
    fn a_service_needs_no_argument_to_know_its_name_and_its_port() {
        let parse = |arguments: &[&str]| {
            let matches = command::<Config>("kitchen-service", 8085)
                .try_get_matches_from(["kitchen-service"].iter().chain(arguments));
            <Config as clap::FromArgMatches>::from_arg_matches(&matches.unwrap())
                .unwrap()
                .service
        };
        assert_eq!(parse(&[]).instance_id(), "kitchen-service-0");
        assert_eq!(parse(&[]).http_addr.to_string(), "127.0.0.1:8085");
        let given = parse(&["--http-addr", "0.0.0.0:80"]);
        assert_eq!(given.http_addr.to_string(), "0.0.0.0:80");
    }

    fn context() -> Context {
        Context::new(&Settings::local("test", None))
    }

    #[tokio::test]
    async fn the_error_of_a_task_ends_the_process_and_is_its_outcome() {
        let context = context();
        context.spawn("worker", async { Err::<(), _>(anyhow!("out of paper")) });
        let stopped = context.shutdown.clone();
        let outcome = supervise(&context, SHUTDOWN_DEADLINE, async move {
            stopped.cancelled().await;
            Ok(())
        });
        let error = format!("{:#}", outcome.await.unwrap_err());
        assert_eq!(error, "task worker failed: out of paper");
    }

    #[tokio::test]
    async fn a_panic_of_a_task_ends_the_process() {
        let context = context();
        context.spawn("worker", async {
            assert!(std::hint::black_box(false), "deliberate");
            anyhow::Ok(())
        });
        let error = supervise(&context, SHUTDOWN_DEADLINE, std::future::pending())
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "task worker panicked: deliberate");
    }

    #[tokio::test]
    async fn a_service_that_never_got_to_serve_stops_at_once() {
        let context = context();
        context.shutdown.cancel();
        supervise(&context, SHUTDOWN_DEADLINE, std::future::pending())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_service_that_does_not_stop_is_left_behind() {
        let context = context();
        let stopped = context.shutdown.clone();
        let router = utoipa_axum::router::OpenApiRouter::new();
        let serving = context.clone();
        let run = async move {
            serving.serve(router).await?;
            std::future::pending().await
        };
        let stop = async {
            context.address().await;
            stopped.cancel();
        };
        let (outcome, ()) = tokio::join!(supervise(&context, Duration::from_millis(20), run), stop);
        assert_eq!(
            outcome.unwrap_err().to_string(),
            "still busy 20ms after the stop began"
        );
    }
}
