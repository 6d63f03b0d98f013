//! The platform under test: its processes, as its supervisor wrote them down. Nobody else's are touched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::future::join_all;
use native::Process;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep};

const LOOK: Duration = Duration::from_millis(5);

/// How a process is asked whether it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Probe {
    /// As a client of Postgres would.
    Postgres,
    /// As a client of Kafka would.
    Kafka,
    /// At `/health/ready`.
    Http,
}

/// What ends a process cleanly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stop {
    /// SIGTERM.
    Terminate,
    /// SIGINT.
    Interrupt,
}

/// A process that must run.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// `order-service`; its second instance is `order-service-1`.
    pub name: String,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    /// How it is asked whether it is ready.
    pub probe: Probe,
    /// How it is ended.
    pub stop: Stop,
    /// What it is told.
    pub environment: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Desired {
    processes: Vec<Member>,
}

/// A record of the supervisor, or its own: the part that is needed here.
#[derive(Deserialize)]
struct Running {
    process: Process,
}

/// A platform that runs.
#[derive(Debug, Clone)]
pub struct Platform {
    folder: PathBuf,
    /// What must run in it.
    pub members: Vec<Member>,
    http: reqwest::Client,
}

impl Member {
    /// The service that it is an instance of.
    pub fn service(&self) -> &str {
        let slot = self.environment.get("INSTANCE").map_or("0", String::as_str);
        self.name
            .strip_suffix(slot)
            .and_then(|name| name.strip_suffix('-'))
            .unwrap_or(&self.name)
    }

    /// Its address, where it speaks HTTP.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Platform {
    /// The platform in a folder.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let desired: Desired = read(&folder.join("desired.json")).with_context(|| {
            format!(
                "no platform runs in {}: `platform test-platform -- PROGRAM` starts one of its own",
                folder.display()
            )
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            members: desired.processes,
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(1))
                .build()?,
        })
    }

    /// The URL of a database of its private Postgres, as the superuser.
    ///
    /// # Errors
    /// Its Postgres is not its own.
    pub fn database(&self, name: &str) -> anyhow::Result<String> {
        let passwords: BTreeMap<String, String> = read(&self.folder.join("secrets.json"))?;
        let password = passwords
            .get("postgres")
            .context("the platform has no Postgres of its own")?;
        let port = self.member("postgres")?.port;
        Ok(format!(
            "postgres://postgres:{password}@127.0.0.1:{port}/{name}"
        ))
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> anyhow::Result<&Member> {
        let found = self.members.iter().find(|member| member.name == name);
        found.with_context(|| format!("no process is called {name}"))
    }

    /// The instances of a service.
    pub fn instances(&self, service: &str) -> Vec<&Member> {
        self.members
            .iter()
            .filter(|member| member.service() == service)
            .collect()
    }

    /// The process that is this member now, if it lives.
    pub fn process(&self, name: &str) -> Option<Process> {
        let record: Running = read(&self.folder.join("run").join(format!("{name}.json"))).ok()?;
        Some(record.process).filter(Process::alive)
    }

    /// The same; one that is dead just now is waited for, so long.
    pub async fn living(&self, name: &str, patience: Duration) -> Option<Process> {
        let deadline = Instant::now() + patience;
        loop {
            match self.process(name) {
                Some(process) => return Some(process),
                None if Instant::now() > deadline => return None,
                None => sleep(LOOK * 10).await,
            }
        }
    }

    /// The supervisor.
    pub fn supervisor(&self) -> anyhow::Result<Process> {
        let record: Running = read(&self.folder.join("supervisor.json"))?;
        Ok(record.process)
    }

    /// Whether a member is ready.
    pub async fn ready(&self, member: &Member) -> bool {
        let port = member.port;
        match member.probe {
            Probe::Postgres => blocking(move || native::probe::postgres(port)).await,
            Probe::Kafka => blocking(move || native::probe::kafka(port)).await,
            Probe::Http => {
                let url = format!("{}/health/ready", member.address());
                let answer = self.http.get(url).send().await;
                answer.is_ok_and(|answer| answer.status().is_success())
            }
        }
    }

    /// Returns the process that has taken the place of `old`, as soon as there is one.
    pub async fn successor(&self, name: &str, old: &Process) -> Process {
        loop {
            match self.process(name) {
                Some(new) if new != *old => return new,
                _ => sleep(LOOK).await,
            }
        }
    }

    /// Returns when whoever has taken the place of `old` is ready.
    ///
    /// # Errors
    /// No process is called like that.
    pub async fn back(&self, name: &str, old: &Process) -> anyhow::Result<()> {
        let member = self.member(name)?;
        self.successor(name, old).await;
        self.until_ready(member).await;
        Ok(())
    }

    /// Returns when a member is ready.
    pub async fn until_ready(&self, member: &Member) {
        while !self.ready(member).await {
            sleep(LOOK).await;
        }
    }

    /// Waits until all members live and are ready; gives who was the last, and how long that took.
    ///
    /// # Errors
    /// Not all are within the time; the error names one.
    pub async fn all_ready(&self, patience: Duration) -> anyhow::Result<(&str, Duration)> {
        let begin = Instant::now();
        let mut last = ("", Duration::ZERO);
        let ready = join_all(self.members.iter().map(|member| async move {
            while self.process(&member.name).is_none() || !self.ready(member).await {
                if begin.elapsed() > patience {
                    bail!("{} is not ready after {patience:?}", member.name);
                }
                sleep(LOOK * 10).await;
            }
            Ok((member.name.as_str(), begin.elapsed()))
        }));
        for one in ready.await {
            let (name, took) = one?;
            if took >= last.1 {
                last = (name, took);
            }
        }
        Ok(last)
    }

    /// Waits until every instance that has equals has its part of the partitions: before that there is nothing that anybody
    /// could take over from it.
    ///
    /// # Errors
    /// Not all have within the time.
    pub async fn all_at_work(&self, patience: Duration) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        for member in &self.members {
            let alone = self.instances(member.service()).len() < 2;
            while !alone && self.partitions(member).await == Some(0) {
                if Instant::now() > deadline {
                    bail!("{} has no partitions after {patience:?}", member.name);
                }
                sleep(LOOK * 10).await;
            }
        }
        Ok(())
    }

    /// What a member tells of itself in Prometheus' format, if it answers.
    pub async fn metrics(&self, member: &Member) -> Option<String> {
        let url = format!("{}/metrics", member.address());
        let answer = self.http.get(url).send().await.ok()?;
        answer.error_for_status().ok()?.text().await.ok()
    }

    /// How many partitions an instance consumes; nothing, if it consumes none ever.
    async fn partitions(&self, member: &Member) -> Option<u64> {
        let url = format!("{}/health/ready", member.address());
        let answer = self.http.get(url).send().await.ok()?;
        let health: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
        health["kafka"]["partitions"].as_u64()
    }
}

async fn blocking(probe: impl FnOnce() -> bool + Send + 'static) -> bool {
    tokio::task::spawn_blocking(probe).await.unwrap_or(false)
}

fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}
