//! The relay as a process: how fast it drains a full outbox, and how soon a commit reaches a consumer.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use futures_util::future::try_join_all;
use message_relay::reader::MAX_ROWS;
use messaging::Doorbell;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{self, Connection as _, PgConnection, Row as _};
use serde::Serialize;
use tokio::process::{Child, Command};
use tokio::time::{sleep, sleep_until};

use super::producer;
use super::rig::{self, Rig, SOURCE, TOPIC};
use crate::calibrate::{RATES, kafka};
use crate::costs::processes;
use crate::plan::{Plan, seconds};
use crate::quantiles::{Latencies, Quantiles};
use crate::site::Site;

/// Rows in which nothing is missing, as large as most, with numbers from one to another.
const FILL: &str = "\
INSERT INTO outbox (shard, id, message_id, key, causation, sequence, occurred_at, topic, kind, traceparent, body)
SELECT 0, nextval('outbox_s0_id'), uuidv7(), gen_random_uuid(), uuidv7(), n, now(), 'order-reply', 'TICKET_CREATED',
       '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
       '{\"orderId\":\"' || gen_random_uuid() || '\",\"ticketId\":\"' || gen_random_uuid() || '\",\"state\":\"PENDING\",\"version\":1,\"total\":{\"amount\":' || n || ',\"currency\":\"EUR\"},\"items\":\"' || repeat(md5(n::text), 5) || '\"}'
FROM generate_series($1::bigint, $2::bigint) AS n";
/// One such row. All of it is given, so that a transaction costs little more than its commit: it is the relay that is measured.
const SAY: &str = "\
INSERT INTO outbox (shard, id, message_id, key, causation, sequence, occurred_at, topic, kind, traceparent, body)
VALUES (0, nextval('outbox_s0_id'), $1, $2, $1, $3, now(), 'order-reply', 'TICKET_CREATED',
        '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', $4)";
/// About as large as the body of the others.
const BODY: usize = 300;
/// So many write at once, each over a connection of its own.
const WRITERS: usize = 16;
/// As many databases as the platform has an outbox in.
const SEVERAL: u64 = 7;
/// How long the relay may take for everything that it is given.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the relay does.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Relay {
    /// How many rows there were.
    pub(crate) rows: u64,
    /// What the drain is compared with: of those before and after it the higher ones.
    pub(crate) ceilings: Ceilings,
    /// What could be done at best before the drain.
    pub(crate) before: Ceilings,
    /// And after it.
    pub(crate) after: Ceilings,
    /// Rows per second that the relay drains.
    pub(crate) drain: f64,
    /// CPU seconds of that.
    pub(crate) drain_cpu: f64,
    /// MiB at most in that.
    pub(crate) drain_memory: f64,
    /// How soon a commit reaches a consumer.
    pub(crate) rates: Vec<AtRate>,
    /// Rows per second that it drains from seven databases at once, as many as the platform has.
    pub(crate) several: f64,
    /// MiB at most in that.
    pub(crate) several_memory: f64,
}

/// What bounds a drain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ceilings {
    /// Rows per second that are read in pages as large as the relay's, and nothing else done with them.
    pub(crate) paged_read: f64,
    /// Records per second of a producer that is set as the relay's.
    pub(crate) producer: f64,
}

/// How the relay does at a fixed rate of commits.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AtRate {
    /// Commits per second.
    pub(crate) per_second: u32,
    /// From the moment in which the transaction was sent until a consumer has the message, in milliseconds.
    pub(crate) times: Quantiles,
    /// From the same moment until the writer's own commit was confirmed to it, in milliseconds: a part of `times`.
    pub(crate) commits: Quantiles,
    /// How much later than due transactions were sent, in milliseconds.
    pub(crate) late: Quantiles,
    /// MiB at most.
    pub(crate) memory: f64,
    /// Percent of a core.
    pub(crate) cpu: f64,
}

/// What one writer noted.
struct Written {
    /// When each transaction was sent.
    sent: HashMap<i64, Instant>,
    /// How soon each was confirmed.
    commits: Latencies,
    /// How much later than due each was sent.
    late: Latencies,
}

/// Measures all of it. `program` is the relay's.
///
/// # Errors
/// A server does not answer, or the relay dies.
pub(super) async fn measure(
    site: &Site,
    rig: &Rig,
    program: &Path,
    plan: &Plan,
) -> anyhow::Result<Relay> {
    let before = Ceilings::measure(site, rig, plan.rows).await?;
    site.settle().await?;
    let mut relay = start(rig, std::slice::from_ref(rig), program)?;
    let pid = relay.id().context("the relay has died")?.cast_signed();
    let began = reached(rig, plan.rows).await?;
    let drain = plan.rows as f64 / began.elapsed().as_secs_f64();
    let drained = processes::one(pid);
    site.settle().await?;
    let mut rates = Vec::new();
    for rate in RATES {
        rates.push(at_rate(rig, pid, rate, seconds(plan.relay)).await?);
    }
    relay.kill().await?;
    // What is relayed is removed, so the same rows are put into another outbox.
    let again = Rig::make(site, "bench_relay_again").await?;
    let after = Ceilings::measure(site, &again, plan.rows).await?;
    again.drop().await?;
    let (several, several_memory) = several(site, program, plan.rows / 10).await?;
    Ok(Relay {
        rows: plan.rows,
        ceilings: before.higher(after),
        before,
        after,
        drain,
        drain_cpu: drained.cpu,
        drain_memory: drained.peak,
        rates,
        several,
        several_memory,
    })
}

impl Ceilings {
    /// Fills an outbox, and measures what could be done with it at best; the rows stay. No reader has to write them any more (hint
    /// bits), neither this one nor the relay.
    async fn measure(site: &Site, rig: &Rig, rows: u64) -> anyhow::Result<Self> {
        fill(rig, rows).await?;
        rig::run(rig.pool(), "VACUUM (FREEZE) outbox".to_owned()).await?;
        site.settle().await?;
        Ok(Self {
            paged_read: paged_read(rig, rows).await?,
            producer: producer::ceiling(rig, rows).await?,
        })
    }

    /// Of each the higher one.
    fn higher(self, other: Self) -> Self {
        Self {
            paged_read: self.paged_read.max(other.paged_read),
            producer: self.producer.max(other.producer),
        }
    }

    /// The one that is met first.
    pub(crate) const fn lowest(self) -> f64 {
        self.paged_read.min(self.producer)
    }
}

/// So many rows in each of seven outboxes, and one relay: rows per second, and MiB at most.
async fn several(site: &Site, program: &Path, rows: u64) -> anyhow::Result<(f64, f64)> {
    let mut rigs = Vec::new();
    for number in 0..SEVERAL {
        let rig = Rig::make(site, &format!("bench_relay_{number}")).await?;
        fill(&rig, rows).await?;
        rigs.push(rig);
    }
    let first = rigs.first().context("no outbox")?;
    site.settle().await?;
    let (mut relay, begin) = (start(first, &rigs, program)?, Instant::now());
    let pid = relay.id().context("the relay has died")?.cast_signed();
    for rig in &rigs {
        reached(rig, rows).await?;
    }
    let rate = (SEVERAL * rows) as f64 / begin.elapsed().as_secs_f64();
    let memory = processes::one(pid).peak;
    relay.kill().await?;
    for rig in rigs {
        rig.drop().await?;
    }
    Ok((rate, memory))
}

async fn fill(rig: &Rig, rows: u64) -> anyhow::Result<()> {
    let rows = i64::try_from(rows)?;
    let fill = sqlx::query(FILL).bind(1_i64).bind(rows);
    fill.execute(rig.pool()).await?;
    Ok(())
}

async fn paged_read(rig: &Rig, rows: u64) -> anyhow::Result<f64> {
    let page = "SELECT id, message_id, key, causation, sequence, occurred_at, topic, kind, traceparent, headers::text, body
                FROM outbox_s0 WHERE id > $1 ORDER BY id LIMIT $2";
    let options: PgConnectOptions = rig.url.parse()?;
    let mut db = message_relay::database::connect(&options, "bench").await?;
    let (mut last, mut read, begin) = (0_i64, 0, Instant::now());
    while read < rows {
        let page = sqlx::query(page)
            .bind(last)
            .bind(MAX_ROWS as i64)
            .fetch_all(&mut db)
            .await?;
        read += page.len() as u64;
        last = page.last().context("rows are missing")?.try_get(0)?;
    }
    Ok(rows as f64 / begin.elapsed().as_secs_f64())
}

/// A relay of these outboxes that listens where `rig` rings. It dies with its handle.
fn start(rig: &Rig, outboxes: &[Rig], program: &Path) -> anyhow::Result<Child> {
    let sources = outboxes.iter().enumerate();
    // The first has the name by which its doorbell rings.
    let sources = sources.map(|(number, rig)| match number {
        0 => format!("{SOURCE}={}", rig.url),
        _ => format!("{SOURCE}-{number}={}", rig.url),
    });
    Command::new(program)
        .env("HTTP_ADDR", &rig.address)
        .env("SOURCES", sources.collect::<Vec<_>>().join(","))
        .env("KAFKA_BROKERS", &rig.brokers)
        .env("TOPIC_PREFIX", kafka::PREFIX)
        .env("LOG", "warn")
        .envs(rig::AS_DEPLOYED)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))
}

/// Waits until the relay's cursor is there; gives when the shard got its owner.
async fn reached(rig: &Rig, position: u64) -> anyhow::Result<Instant> {
    let (position, begin) = (i64::try_from(position)?, Instant::now());
    let mut began = begin;
    loop {
        let (reached, owned): (i64, bool) =
            sqlx::query_as("SELECT position, epoch > 0 FROM relay.shard")
                .fetch_one(rig.pool())
                .await?;
        if !owned {
            began = Instant::now();
        }
        if reached >= position {
            return Ok(began);
        }
        ensure!(
            begin.elapsed() < PATIENCE,
            "the relay is at {reached} of {position} after {PATIENCE:?}"
        );
        sleep(Duration::from_millis(5)).await;
    }
}

/// Commits at a fixed rate, whatever becomes of those before.
async fn at_rate(rig: &Rig, pid: i32, rate: u32, length: Duration) -> anyhow::Result<AtRate> {
    let consumer = kafka::consumer(&rig.brokers, TOPIC)?;
    let done = Arc::new(AtomicBool::new(false));
    let receiving = thread::spawn({
        let done = Arc::clone(&done);
        move || kafka::receive(&consumer, &done)
    });
    processes::forget_peak(pid.cast_unsigned());
    let options: PgConnectOptions = rig.url.parse()?;
    let mut writers = Vec::new();
    for _ in 0..WRITERS {
        writers.push(PgConnection::connect_with(&options).await?);
    }
    let (before, begin) = (processes::one(pid), Instant::now());
    let count = i64::from(rate) * i64::try_from(length.as_secs())?;
    let writing = (0..).zip(writers).map(|(first, connection)| {
        let due = (first..count).step_by(WRITERS);
        let due = due.map(move |number| {
            let after = Duration::from_secs_f64(number as f64 / f64::from(rate));
            (number, begin + after)
        });
        let doorbell = rig.doorbell.clone();
        let writer = tokio::spawn(async move { write(connection, &doorbell, due).await });
        async { anyhow::Ok(writer.await??) }
    });
    let (mut sent, mut commits, mut late) = (HashMap::new(), Latencies::new(), Latencies::new());
    for by_one in try_join_all(writing).await? {
        sent.extend(by_one.sent);
        commits.merge(&by_one.commits);
        late.merge(&by_one.late);
    }
    let after = processes::one(pid);
    let busy = (after.cpu - before.cpu) / begin.elapsed().as_secs_f64();
    sleep(Duration::from_millis(500)).await;
    done.store(true, Ordering::Relaxed);
    let arrived = tokio::task::spawn_blocking(move || receiving.join()).await?;
    let arrived = arrived.map_err(|_| anyhow!("the receiving thread died"))??;
    Ok(AtRate {
        per_second: rate,
        times: kafka::between(&sent, &arrived, rate)?.quantiles(),
        commits: commits.quantiles(),
        late: late.quantiles(),
        memory: after.peak,
        cpu: busy * 100.0,
    })
}

/// Commits what is due when it is due, over a connection of its own, as the clients do by whom F is measured: transactions of one
/// statement, which commits itself. (What the writers cost is the relay's loss, since they share the processors.) Gives when each was sent,
/// which [`messaging::Store`] does not tell, and by how much too late; a message is under way from some moment between that and the
/// confirmation of its commit.
async fn write(
    mut connection: PgConnection,
    doorbell: &Doorbell,
    due: impl Iterator<Item = (i64, Instant)>,
) -> anyhow::Result<Written> {
    let mut written = Written {
        sent: HashMap::new(),
        commits: Latencies::new(),
        late: Latencies::new(),
    };
    let body = "x".repeat(BODY);
    for (number, due) in due {
        sleep_until(due.into()).await;
        let say = sqlx::query(SAY)
            .bind(ambient::new_id())
            .bind(ambient::new_id())
            .bind(number)
            .bind(&body);
        let now = Instant::now();
        written.sent.insert(number, now);
        written.late.add(now - due);
        say.execute(&mut connection).await?;
        written.commits.add(now.elapsed());
        doorbell.ring();
    }
    connection.close().await?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_ceilings_the_higher_counts_and_of_their_kinds_the_lower() {
        let ceilings = |paged_read, producer| Ceilings {
            paged_read,
            producer,
        };
        let higher = ceilings(180.0, 120.0).higher(ceilings(150.0, 140.0));
        assert_eq!(higher, ceilings(180.0, 140.0));
        assert!((higher.lowest() - 140.0).abs() < 1e-9);
    }
}
