//! Apache Kafka 4.3 as one KRaft node: its storage, its settings, its address.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, Installation, Launch, Server, StopSignal, launch, probe, secret};

const LOGGING: &str = include_str!("kafka/log4j2.properties");

/// A broker on 127.0.0.1 that is its own controller.
#[derive(Debug, Clone)]
pub struct Kafka {
    jars: PathBuf,
    data: PathBuf,
    port: u16,
    controller: u16,
}

impl Kafka {
    /// Describes the server; nothing is touched yet. `controller` is the second port, which only
    /// the node itself uses.
    #[must_use]
    pub fn new(installation: &Installation, data: &Path, port: u16, controller: u16) -> Self {
        Self {
            jars: installation.kafka.clone(),
            data: data.to_owned(),
            port,
            controller,
        }
    }

    /// What clients connect to.
    #[must_use]
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn settings(&self) -> String {
        let (port, controller, log) = (self.port, self.controller, self.data.join("log"));
        format!(
            "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{port}
inter.broker.listener.name=BROKER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={log}
# A topic is made on purpose, with its partitions and its retention, or not at all.
auto.create.topics.enable=false
# One node: nothing can be kept twice.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# After a SIGKILL the controller takes the dead broker for alive until its session is over, and lets the new one wait.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# Small: few consumers, little memory.
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
log.cleaner.dedupe.buffer.size=2097152
# The first consumer of a group need not wait for others.
group.initial.rebalance.delay.ms=0
",
            log = log.display()
        )
    }

    /// `java` with the heap, the class path and the main class, ready for its arguments.
    fn java(&self, main: &str) -> (PathBuf, Vec<String>) {
        let logging = format!(
            "-Dlog4j2.configurationFile={}",
            self.data.join("log4j2.properties").display()
        );
        let scratch = format!("-Djava.io.tmpdir={}", self.scratch().display());
        let args = [
            // While it collects, nobody hears from it: 10 ms, and several times that where others want the processors, too. What
            // is young dies young, so room for it makes that rare (at 2,000 messages a second every few seconds, not twice each).
            "-Xms384m",
            "-Xmx512m",
            "-Xmn256m",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-UsePerfData",
            // Libraries that are unpacked there stay when the broker is killed: with the data, then.
            &scratch,
            &logging,
        ]
        .map(str::to_owned)
        .into_iter()
        .chain([
            "-cp".to_owned(),
            self.jars.join("*").display().to_string(),
            main.to_owned(),
        ])
        .collect();
        (find_java(), args)
    }

    fn scratch(&self) -> PathBuf {
        self.data.join("tmp")
    }

    fn properties(&self) -> String {
        self.data.join("server.properties").display().to_string()
    }

    /// Formats the storage. Kafka writes `meta.properties` last, so that file tells it is whole.
    fn format(&self) -> Result<(), Error> {
        if self.data.join("log/meta.properties").exists() {
            return Ok(());
        }
        // A cluster id is a UUID in 22 characters of base64url; hexadecimal digits are among them.
        let id = secret::token()?[..21].to_owned() + "A";
        let (java, args) = self.java("kafka.tools.StorageTool");
        let mut tool = Command::new(java);
        tool.args(args).args([
            "format",
            "--ignore-formatted",
            "-t",
            &id,
            "-c",
            &self.properties(),
        ]);
        launch::output(&mut tool).map(drop)
    }
}

/// The Java of `JAVA_HOME`, or the first on the `PATH`, by its whole name: a supervisor starts it
/// without an environment.
fn find_java() -> PathBuf {
    let home = env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    home.into_iter()
        .chain(env::split_paths(&path))
        .map(|folder| folder.join("java"))
        .find(|java| java.is_file())
        .unwrap_or_else(|| "java".into())
}

impl Server for Kafka {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn prepare(&self) -> Result<(), Error> {
        let scratch = self.scratch();
        fs::create_dir_all(&scratch).map_err(Error::file("create", &scratch))?;
        for (name, text) in [
            ("server.properties", self.settings()),
            ("log4j2.properties", LOGGING.to_owned()),
        ] {
            let path = self.data.join(name);
            fs::write(&path, text).map_err(Error::file("write", path))?;
        }
        self.format()
    }

    fn launch(&self) -> Result<Launch, Error> {
        let (program, mut args) = self.java("kafka.Kafka");
        args.push(self.properties());
        Ok(Launch {
            program,
            args,
            folder: self.data.clone(),
            account: None,
            stop: StopSignal::Terminate,
        })
    }

    fn answers(&self) -> bool {
        probe::kafka(self.port)
    }
}
