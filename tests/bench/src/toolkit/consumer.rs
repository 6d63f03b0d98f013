//! The smallest service that does all that a service does: for each message an inbox row, a changed row of state, and an
//! answer in the outbox. It runs as a process of its own, which this program starts of itself.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use messaging::consumer::Settings;
use messaging::{
    Consumer, Doorbell, Fault, Handler, Interest, Message, Outgoing, Stamp, Store, sql,
};
use rdkafka::producer::Producer as _;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseTransaction, DbBackend, DbErr, Statement,
};
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use visitor::console::say;

use super::producer::{producer, record, send};
use super::rig::{self, QUESTIONS, Rig};
use crate::calibrate::kafka::PREFIX;
use crate::site::Site;

const ASK: &str = "ASK";
/// As many connections as a service has.
const CONNECTIONS: u32 = 8;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the process is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Task {
    #[arg(long, env = "BENCH_DATABASE_URL", hide_env_values = true)]
    database_url: String,
    #[arg(long)]
    brokers: String,
    #[arg(long)]
    messages: u64,
}

/// Messages per second, from the first that is handled to the last.
///
/// # Errors
/// A server does not answer, or the process dies.
pub(super) async fn measure(site: &Site, rig: &Rig, messages: u64) -> anyhow::Result<f64> {
    let table = "CREATE TABLE counter (key uuid PRIMARY KEY, total bigint NOT NULL)";
    rig::run(rig.pool(), table.to_owned()).await?;
    let brokers = rig.brokers.clone();
    tokio::task::spawn_blocking(move || ask(&brokers, messages)).await??;
    site.settle().await?;
    let working = Command::new(std::env::current_exe()?)
        .args(["consume", "--brokers", &rig.brokers])
        .args(["--messages", &messages.to_string()])
        .env("BENCH_DATABASE_URL", &rig.url)
        .envs(rig::AS_DEPLOYED)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PATIENCE, working)
        .await
        .with_context(|| format!("the consumer has not done its work in {PATIENCE:?}"))??;
    ensure!(
        output.status.success(),
        "the consumer: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let seconds: f64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    Ok(messages as f64 / seconds)
}

/// Puts messages into the topic, each about another key.
fn ask(brokers: &str, messages: u64) -> anyhow::Result<()> {
    let (producer, topic) = (producer(brokers)?, format!("{PREFIX}{QUESTIONS}"));
    for number in 0..messages {
        send(&producer, &topic, &record(ASK, number))?;
    }
    Ok(producer.flush(PATIENCE)?)
}

/// The process: handles so many messages, and prints how many seconds that took.
///
/// # Errors
/// A server does not answer.
pub(crate) async fn consume(task: &Task) -> anyhow::Result<()> {
    let mut options = ConnectOptions::new(&task.database_url);
    options
        .max_connections(CONNECTIONS)
        .test_before_acquire(false)
        .sqlx_logging(false);
    let store = Store::new(Database::connect(options).await?, Doorbell::silent()).await?;
    let settings = Settings::new("bench-consumer", "0", &task.brokers, PREFIX, &[QUESTIONS]);
    let (told, done) = oneshot::channel();
    let counter = Counter(Mutex::new(Count {
        left: task.messages,
        begin: None,
        told: Some(told),
    }));
    let consumer = Consumer::new(settings, store, counter);
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    let consuming = tokio::spawn(consumer.run(shutdown));
    let seconds = done.await.context("the consumer has ended")?;
    say(seconds);
    stop.cancel();
    Ok(consuming.await??)
}

/// Counts for each key, and all together.
#[derive(Debug)]
struct Counter(Mutex<Count>);

#[derive(Debug)]
struct Count {
    left: u64,
    begin: Option<Instant>,
    /// To be told the seconds when nothing is left.
    told: Option<oneshot::Sender<f64>>,
}

/// What a batch works on.
#[derive(Debug, Default)]
struct World {
    totals: BTreeMap<Uuid, i64>,
    handled: u64,
}

impl Handler for Counter {
    type World = World;
    type Effects = u64;

    fn interest(&self, _: &str, kind: &str) -> Interest {
        match kind {
            ASK => Interest::Handle,
            _ => Interest::Unknown,
        }
    }

    async fn load(&self, db: &DatabaseTransaction, messages: &[Message]) -> Result<World, DbErr> {
        self.count().begin.get_or_insert_with(Instant::now);
        let keys = sql::uuids(messages.iter().map(|message| message.key));
        let lock =
            "SELECT key, total FROM counter WHERE key = ANY($1::uuid[]) ORDER BY key FOR UPDATE";
        let rows = db
            .query_all_raw(Statement::from_sql_and_values(
                DbBackend::Postgres,
                lock,
                [keys],
            ))
            .await?;
        let totals = rows
            .iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)));
        Ok(World {
            totals: totals.collect::<Result<_, DbErr>>()?,
            handled: 0,
        })
    }

    fn decide(
        &self,
        world: &mut World,
        message: &Message,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        world.handled += 1;
        let total = world.totals.entry(message.key).or_default();
        *total += 1;
        let body = serde_json::json!({ "total": total, "padding": "x".repeat(200) });
        let answer = Outgoing::new(stamp, "answers", "ANSWER", message.key, *total, &body)?;
        Ok(vec![answer.answering(message)])
    }

    async fn save(&self, db: &DatabaseTransaction, world: World) -> Result<u64, DbErr> {
        let save = "INSERT INTO counter SELECT * FROM unnest($1::uuid[], $2::bigint[])
                    ON CONFLICT (key) DO UPDATE SET total = EXCLUDED.total";
        let values = [
            sql::uuids(world.totals.keys().copied()),
            sql::bigints(world.totals.values().copied()),
        ];
        db.execute_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            save,
            values,
        ))
        .await?;
        Ok(world.handled)
    }

    fn committed(&self, handled: u64) {
        let mut count = self.count();
        count.left = count.left.saturating_sub(handled);
        if count.left == 0
            && let (Some(begin), Some(told)) = (count.begin, count.told.take())
        {
            // Nobody hears it only where the process ends anyway.
            let _ = told.send(begin.elapsed().as_secs_f64());
        }
    }
}

impl Counter {
    fn count(&self) -> std::sync::MutexGuard<'_, Count> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
