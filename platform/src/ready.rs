//! Asks processes whether they are ready, and waits for them with a bound.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use crate::console::Progress;
use crate::layout::Layout;
use crate::logs;
use crate::spec::{Probe, Spec};

const PATIENCE: Duration = Duration::from_secs(120);
const ONE_ANSWER: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(50);
/// Lines of a log that are shown of a process that does not become ready.
const TAIL: usize = 12;

/// The command: what a container's health check runs.
pub(crate) async fn check(port: u16) -> anyhow::Result<ExitCode> {
    let ready = Prober::new()?.http(port).await;
    Ok(if ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Asks processes; one client for all of them.
#[derive(Debug, Clone)]
pub(crate) struct Prober(reqwest::Client);

impl Prober {
    pub(crate) fn new() -> anyhow::Result<Self> {
        // An HTTP_PROXY of the operator's must not stand between processes of one machine.
        Ok(Self(
            reqwest::Client::builder()
                .no_proxy()
                .timeout(ONE_ANSWER)
                .build()?,
        ))
    }

    /// Whether the process is ready right now.
    pub(crate) async fn ready(&self, spec: &Spec) -> bool {
        let port = spec.port;
        match spec.probe {
            Probe::Postgres => blocking(move || native::probe::postgres(port)).await,
            Probe::Kafka => blocking(move || native::probe::kafka(port)).await,
            Probe::Http => self.http(port).await,
        }
    }

    async fn http(&self, port: u16) -> bool {
        let answer = self
            .0
            .get(format!("http://127.0.0.1:{port}/health/ready"))
            .send()
            .await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Waits until all are ready, and says so of each.
    pub(crate) async fn wait(
        &self,
        layout: &Layout,
        specs: &[Spec],
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut waiting: Vec<&Spec> = specs.iter().collect();
        loop {
            let answers = join_all(waiting.iter().map(|spec| self.ready(spec))).await;
            let asked = std::mem::take(&mut waiting).into_iter().zip(answers);
            for (spec, ready) in asked {
                if ready {
                    progress.say(format_args!("{} is ready on port {}", spec.name, spec.port));
                } else {
                    waiting.push(spec);
                }
            }
            if waiting.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(missing(layout, &waiting));
            }
            sleep(LOOK).await;
        }
    }
}

async fn blocking(probe: impl FnOnce() -> bool + Send + 'static) -> bool {
    tokio::task::spawn_blocking(probe).await.unwrap_or(false)
}

fn missing(layout: &Layout, waiting: &[&Spec]) -> String {
    let mut text = format!("not ready after {} s:", PATIENCE.as_secs());
    for spec in waiting {
        let log = layout.log(&spec.name);
        text += &format!(
            "\n{} (the end of {}):\n{}",
            spec.name,
            log.display(),
            logs::tail(&log, TAIL)
        );
    }
    text
}
