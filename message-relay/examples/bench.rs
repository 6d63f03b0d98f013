//! Measures the relay against the limits of the box, all in one run: a drain of a million rows against a plain paged read
//! and against a bare producer, and the time from commit to consumer against commit and Kafka alone.
//!
//! `cargo build --release -p message-relay && cargo run --release -p message-relay --example bench [rows]`
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench: a broken precondition ends it, it tells its results, and it produces to Kafka to know the ceiling"
)]

use std::{
    collections::HashMap,
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use message_relay::{
    cursor::Cursor,
    database,
    flight::Flight,
    producer::{self, Producer},
    reader::Reader,
    record::{Format, ROOM, key},
    source::Source,
    wake::Wake,
};
use messaging::{Doorbell, Outgoing, Stamp, Store};
use rdkafka::{
    ClientConfig, Message as _,
    consumer::{BaseConsumer, Consumer},
    message::Headers,
    producer::{BaseRecord, Producer as _, ThreadedProducer},
};
use sea_orm::{
    ConnectionTrait,
    sqlx::{self, Row},
};
use testing::{Database, Topics};
use tokio_util::sync::CancellationToken;

const SOURCE: &str = "order-service";
const TOPIC: &str = "order-reply";
const CEILING: &str = "ceiling";

/// Samples of one measurement.
struct Times(Vec<Duration>);

impl Times {
    fn quantile(&mut self, quantile: f64) -> f64 {
        self.0.sort_unstable();
        let index = ((self.0.len() - 1) as f64 * quantile) as usize;
        self.0[index].as_secs_f64() * 1e3
    }
}

struct Bench {
    database: Database,
    topics: Topics,
    store: Store,
    address: String,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let rows: i64 = std::env::args()
        .nth(1)
        .map_or(1_000_000, |rows| rows.parse().expect("a number of rows"));
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = format!("127.0.0.1:{port}");
    let database = Database::migrated(messaging::migrations(1)).await;
    let topics = Topics::new(&[TOPIC, CEILING], 6).await;
    let doorbell = Doorbell::ring_at(SOURCE, std::slice::from_ref(&address)).unwrap();
    let store = Store::new(database.connect(16).await, doorbell)
        .await
        .unwrap();
    let bench = Bench {
        database,
        topics,
        store,
        address,
    };

    let commit = bench.commits().await.quantile(0.5);
    println!("F: one commit, p50                      {commit:8.2} ms");
    fill(&bench.store, rows).await;
    let read = bench.paged_read(rows).await;
    println!("plain paged read                        {read:8.0} rows/s");
    let ceiling = bench.ceiling(rows).await;
    println!("producer alone, same records            {ceiling:8.0} rows/s");
    let (drain, cpu, memory, relay) = bench.drain(rows).await;
    println!(
        "relay: drain                            {drain:8.0} rows/s, {cpu:.2} s CPU, {memory:.1} MiB at most"
    );
    println!(
        "relay: drain / min(read, producer)      {:8.2}",
        drain / read.min(ceiling)
    );
    for rate in [500, 2_000] {
        let (k50, k99) = bench.kafka_alone(rate);
        println!("K: Kafka alone at {rate:4}/s: p50 {k50:.2} ms, p99 {k99:.2} ms");
        let (before, began) = (cpu_seconds(&relay), Instant::now());
        let mut times = bench.latency(rate).await;
        let busy = (cpu_seconds(&relay) - before) / began.elapsed().as_secs_f64();
        let (p50, p99) = (times.quantile(0.5), times.quantile(0.99));
        println!(
            "relay: commit to consumer at {rate:4}/s: p50 {p50:.2} ms = {:.1} (F + K), p99 {p99:.2} ms = K99 + {:.1} F; {:.1} % of a core, {:.1} MiB",
            p50 / (commit + k50),
            (p99 - k99) / commit,
            busy * 100.0,
            memory_of(&relay, "VmRSS:"),
        );
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (before, began) = (cpu_seconds(&relay), Instant::now());
    tokio::time::sleep(Duration::from_secs(10)).await;
    let busy = (cpu_seconds(&relay) - before) / began.elapsed().as_secs_f64();
    println!(
        "relay: idle, {:.2} % of a core, {:.1} MiB",
        busy * 100.0,
        memory_of(&relay, "VmRSS:")
    );
    stop(relay);
    let (rate, memory) = bench.many(7, rows / 10).await;
    println!("relay: drain of 7 sources at once       {rate:8.0} rows/s, {memory:.1} MiB at most");
}

impl Bench {
    async fn commits(&self) -> Times {
        self.store
            .db()
            .execute_unprepared("CREATE TABLE one (n int)")
            .await
            .unwrap();
        let pool = self.store.db().get_postgres_connection_pool();
        let mut times = Vec::new();
        for n in 0..1_000 {
            let began = Instant::now();
            sqlx::query("INSERT INTO one VALUES ($1)")
                .bind(n)
                .execute(pool)
                .await
                .unwrap();
            times.push(began.elapsed());
        }
        Times(times)
    }

    /// Several sources that are full, and one relay.
    async fn many(&self, count: usize, rows: i64) -> (f64, f64) {
        let (mut benches, mut sources) = (Vec::new(), Vec::new());
        for n in 0..count {
            let database = Database::migrated(messaging::migrations(1)).await;
            sources.push(format!("source-{n}={}", database.url()));
            let store = Store::new(database.connect(1).await, Doorbell::silent())
                .await
                .unwrap();
            fill(&store, rows).await;
            benches.push((database, store));
        }
        let (relay, began) = (self.relay(&sources.join(",")), Instant::now());
        for (_, store) in &benches {
            reached(store, rows).await;
        }
        let rate = (rows * i64::try_from(count).unwrap()) as f64 / began.elapsed().as_secs_f64();
        let memory = memory_of(&relay, "VmHWM:");
        stop(relay);
        (rate, memory)
    }

    fn source(&self) -> Source {
        format!("{SOURCE}={}", self.database.url()).parse().unwrap()
    }

    async fn paged_read(&self, rows: i64) -> f64 {
        let mut db = database::connect(&self.source().database, "bench")
            .await
            .unwrap();
        let (mut reader, mut cursor, mut read) = (Reader::new(0), Cursor::default(), 0);
        let began = Instant::now();
        while read < rows {
            let batch = reader.read(&mut db, &cursor).await.unwrap();
            read += i64::try_from(batch.rows.len()).unwrap();
            cursor.see(batch.rows.last().unwrap().id().unwrap());
        }
        rows as f64 / began.elapsed().as_secs_f64()
    }

    /// What one producer can do with records that it has in memory already.
    async fn ceiling(&self, rows: i64) -> f64 {
        let mut db = database::connect(&self.source().database, "bench")
            .await
            .unwrap();
        let batch = Reader::new(0)
            .read(&mut db, &Cursor::default())
            .await
            .unwrap();
        let (settings, shutdown) = (
            producer::Settings::new(self.topics.brokers()),
            CancellationToken::new(),
        );
        let (producer, _work) = Producer::start(settings, shutdown).unwrap();
        let (generation, flight) = (
            producer.generation(),
            Flight::new(Arc::new(Wake::default())),
        );
        let format = Format::new(SOURCE, self.topics.prefix());
        let topic = format!("{}{CEILING}", self.topics.prefix());
        let (began, mut room) = (Instant::now(), ROOM);
        for n in 0..usize::try_from(rows).unwrap() {
            let row = &batch.rows[n % batch.rows.len()];
            loop {
                let headers = format.headers(row).unwrap();
                match generation.send(
                    &topic,
                    key(row, &mut room).unwrap(),
                    headers,
                    row.body().unwrap(),
                    &flight,
                ) {
                    Ok(()) => break,
                    Err(_) => thread::sleep(Duration::from_micros(500)),
                }
            }
        }
        flight.complete();
        while !flight.has_landed() {
            thread::sleep(Duration::from_micros(500));
        }
        rows as f64 / began.elapsed().as_secs_f64()
    }

    fn relay(&self, sources: &str) -> Child {
        let program = std::env::current_exe()
            .unwrap()
            .with_file_name("../message-relay");
        Command::new(program)
            .env("HTTP_ADDR", &self.address)
            .env("SOURCES", sources)
            .env("KAFKA_BROKERS", self.topics.brokers())
            .env("TOPIC_PREFIX", self.topics.prefix())
            .env("LOG", "warn")
            .spawn()
            .expect("the relay is built: cargo build --release -p message-relay")
    }

    async fn drain(&self, rows: i64) -> (f64, f64, f64, Child) {
        let relay = self.relay(&format!("{SOURCE}={}", self.database.url()));
        let began = reached(&self.store, rows).await;
        let rate = rows as f64 / began.elapsed().as_secs_f64();
        (
            rate,
            cpu_seconds(&relay),
            memory_of(&relay, "VmHWM:"),
            relay,
        )
    }

    fn consumer(&self, topic: &str) -> BaseConsumer {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.topics.brokers())
            .set("group.id", format!("{}bench", self.topics.prefix()))
            .set("enable.auto.commit", "false")
            .set("fetch.min.bytes", "1")
            .set("fetch.wait.max.ms", "500")
            .create()
            .unwrap();
        let topic = format!("{}{topic}", self.topics.prefix());
        let mut assignment = rdkafka::TopicPartitionList::new();
        for partition in 0..6 {
            assignment
                .add_partition_offset(&topic, partition, rdkafka::Offset::End)
                .unwrap();
        }
        consumer.assign(&assignment).unwrap();
        // Fetching has begun when it says that there is nothing.
        for _ in 0..20 {
            consumer.poll(Duration::from_millis(50));
        }
        consumer
    }

    /// Receives until nothing has come for a while; gives when each sequence number arrived first.
    fn receive(consumer: &BaseConsumer, done: &AtomicBool) -> HashMap<i64, Instant> {
        let mut arrived = HashMap::new();
        loop {
            let Some(record) = consumer.poll(Duration::from_millis(200)) else {
                if done.load(Ordering::Relaxed) {
                    return arrived;
                }
                continue;
            };
            let (now, record) = (Instant::now(), record.unwrap());
            let headers = record.headers().unwrap();
            let sequence = headers
                .iter()
                .find(|header| header.key == "ce_sequence")
                .unwrap();
            let sequence = std::str::from_utf8(sequence.value.unwrap())
                .unwrap()
                .parse()
                .unwrap();
            arrived.entry(sequence).or_insert(now);
        }
    }

    fn kafka_alone(&self, rate: u32) -> (f64, f64) {
        let consumer = self.consumer(CEILING);
        let producer: ThreadedProducer<_> = ClientConfig::new()
            .set("bootstrap.servers", self.topics.brokers())
            .set("enable.idempotence", "true")
            .set("linger.ms", "0")
            .create_with_context::<_, ThreadedProducer<rdkafka::producer::DefaultProducerContext>>(
                rdkafka::producer::DefaultProducerContext,
            )
            .unwrap();
        let topic = format!("{}{CEILING}", self.topics.prefix());
        let (done, body) = (AtomicBool::new(false), "x".repeat(300));
        let mut sent = HashMap::new();
        let arrived = thread::scope(|scope| {
            let receiving = scope.spawn(|| Self::receive(&consumer, &done));
            let began = Instant::now();
            for n in 0..i64::from(rate) * 5 {
                let at = began + Duration::from_secs(1) / rate * u32::try_from(n).unwrap();
                thread::sleep(at.saturating_duration_since(Instant::now()));
                let headers =
                    rdkafka::message::OwnedHeaders::new().insert(rdkafka::message::Header {
                        key: "ce_sequence",
                        value: Some(&n.to_string()),
                    });
                sent.insert(n, Instant::now());
                let key = ambient::new_id().to_string();
                producer
                    .send(
                        BaseRecord::to(&topic)
                            .key(&key)
                            .payload(&body)
                            .headers(headers),
                    )
                    .map_err(|(error, _)| error)
                    .unwrap();
            }
            producer.flush(Duration::from_secs(10)).unwrap();
            done.store(true, Ordering::Relaxed);
            receiving.join().unwrap()
        });
        let warm = sent.iter().filter(|(n, _)| **n >= i64::from(rate));
        let mut times = Times(
            warm.map(|(n, at)| arrived[n].saturating_duration_since(*at))
                .collect(),
        );
        (times.quantile(0.5), times.quantile(0.99))
    }

    /// From the moment a commit was confirmed to the moment a consumer has the message. Open loop.
    async fn latency(&self, rate: u32) -> Times {
        let consumer = self.consumer(TOPIC);
        let done = Arc::new(AtomicBool::new(false));
        let receiving = thread::spawn({
            let done = Arc::clone(&done);
            move || Self::receive(&consumer, &done)
        });
        let committed = Arc::new(Mutex::new(HashMap::new()));
        let (began, mut tasks) = (Instant::now(), tokio::task::JoinSet::new());
        for n in 0..i64::from(rate) * 10 {
            let at = began + Duration::from_secs(1) / rate * u32::try_from(n).unwrap();
            tokio::time::sleep_until(at.into()).await;
            let (store, committed) = (self.store.clone(), Arc::clone(&committed));
            tasks.spawn(async move {
                let body = serde_json::json!({ "padding": "x".repeat(300) });
                let message = Outgoing::new(
                    &mut Stamp::live(),
                    TOPIC,
                    "TICKET_CREATED",
                    ambient::new_id(),
                    n,
                    &body,
                )
                .unwrap();
                store
                    .transact(move |unit| {
                        unit.publish(message);
                        Box::pin(async { Ok::<_, sea_orm::DbErr>(()) })
                    })
                    .await
                    .unwrap();
                committed.lock().unwrap().insert(n, Instant::now());
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        done.store(true, Ordering::Relaxed);
        let arrived = receiving.join().unwrap();
        let committed = committed.lock().unwrap();
        Times(
            committed
                .iter()
                .filter(|(n, _)| **n >= i64::from(rate))
                .map(|(n, at)| arrived[n].saturating_duration_since(*at))
                .collect(),
        )
    }
}

async fn fill(store: &Store, rows: i64) {
    let fill = format!(
            "INSERT INTO outbox (shard, id, message_id, key, causation, sequence, occurred_at, topic, kind, traceparent, body)
             SELECT 0, nextval('outbox_s0_id'), uuidv7(), gen_random_uuid(), uuidv7(), n, now(),
                    '{TOPIC}', 'TICKET_CREATED', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
                    '{{\"orderId\":\"' || gen_random_uuid() || '\",\"ticketId\":\"' || gen_random_uuid() || '\",\"state\":\"PENDING\",\"version\":1,\"total\":{{\"amount\":' || n || ',\"currency\":\"EUR\"}},\"items\":\"' || repeat(md5(n::text), 5) || '\"}}'
             FROM generate_series(1, {rows}) AS n"
        );
    store.db().execute_unprepared(&fill).await.unwrap();
    store.db().execute_unprepared("CHECKPOINT").await.unwrap();
}

/// Returns when the cursor is there; gives when the shard got its owner.
async fn reached(store: &Store, position: i64) -> Instant {
    let (pool, mut began) = (store.db().get_postgres_connection_pool(), Instant::now());
    loop {
        let shard = sqlx::query("SELECT position, epoch > 0 FROM relay.shard");
        let row = shard.fetch_one(pool).await.unwrap();
        if !row.get::<bool, _>(1) {
            began = Instant::now();
        }
        if row.get::<i64, _>(0) >= position {
            return began;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn proc_file(child: &Child, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap_or_default()
}

/// MiB
fn memory_of(child: &Child, field: &str) -> f64 {
    let status = proc_file(child, "status");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap_or_default();
    line.trim()
        .trim_end_matches(" kB")
        .parse::<f64>()
        .unwrap_or_default()
        / 1024.0
}

fn cpu_seconds(child: &Child) -> f64 {
    let stat = proc_file(child, "stat");
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<f64>().ok())
            .unwrap_or_default()
    };
    (ticks(11) + ticks(12)) / 100.0
}

fn stop(mut relay: Child) {
    let _ = relay.kill();
    let _ = relay.wait();
}
