//! Asks processes whether they are ready, and waits for them with a bound.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use crate::console::Progress;
use crate::layout::Layout;
use crate::logs;
use crate::run;
use crate::spec::{Probe, Spec};

const PATIENCE: Duration = Duration::from_secs(120);
const ONE_ANSWER: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(50);
/// A process that has died so often while it was waited for will die again.
const DEATHS: u32 = 3;
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
        let before = restarts(layout)?;
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
            let now = restarts(layout)?;
            let dying = |spec: &&&Spec| {
                let of = |all: &BTreeMap<String, u32>| all.get(&spec.name).copied().unwrap_or(0);
                of(&now).saturating_sub(of(&before)) >= DEATHS
            };
            let dying: Vec<&Spec> = waiting.iter().filter(dying).copied().collect();
            if !dying.is_empty() {
                bail!(told("ends again and again", layout, &dying));
            }
            if Instant::now() > deadline {
                let problem = format!("not ready after {} s", PATIENCE.as_secs());
                bail!(told(&problem, layout, &waiting));
            }
            sleep(LOOK).await;
        }
    }
}

async fn blocking(probe: impl FnOnce() -> bool + Send + 'static) -> bool {
    tokio::task::spawn_blocking(probe).await.unwrap_or(false)
}

/// How often each process was started again.
fn restarts(layout: &Layout) -> anyhow::Result<BTreeMap<String, u32>> {
    let records = run::all(layout)?.into_iter();
    Ok(records
        .map(|record| (record.spec.name, record.restarts))
        .collect())
}

/// A problem of these processes, with the end of what each has said.
fn told(problem: &str, layout: &Layout, specs: &[&Spec]) -> String {
    let mut text = format!("{problem}:");
    for spec in specs {
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::keeper::Keeper;
    use crate::spec::Stop;

    #[tokio::test]
    async fn a_process_that_ends_again_and_again_is_told_at_once_with_what_it_said() {
        let room = std::env::temp_dir().join(format!("ready-{}", std::process::id()));
        let layout = Layout::at(&room).unwrap();
        layout.create().unwrap();
        let spec = Spec {
            name: "stubborn".to_owned(),
            program: PathBuf::from("/bin/sh"),
            args: ["-c", "echo invalid value abc; exit 2"]
                .map(str::to_owned)
                .to_vec(),
            environment: BTreeMap::new(),
            folder: room.clone(),
            account: None,
            stop: Stop::Terminate,
            // Nobody serves HTTP there.
            port: 1,
            probe: Probe::Http,
            fingerprint: 0,
        };
        let keeper = Keeper::start(&layout, spec.clone(), None);
        let prober = Prober::new().unwrap();
        let began = Instant::now();
        let waited = prober.wait(&layout, &[spec], &Progress::begin()).await;
        let problem = waited.unwrap_err().to_string();
        keeper.stop().await;
        std::fs::remove_dir_all(room).unwrap();
        for word in ["again and again", "stubborn", "invalid value abc"] {
            assert!(problem.contains(word), "{problem}");
        }
        assert!(began.elapsed() < PATIENCE / 4, "{:?}", began.elapsed());
    }
}
