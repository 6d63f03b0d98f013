//! The loop on a real Kafka and a real Postgres: instances come, go and are killed, and every effect happens once.

use std::time::Duration;

use crate::counter::{Counter, counted};
use messaging::{
    Consumer, Incoming, Store,
    consumer::Settings,
    parking::{self, Filter},
};
use rdkafka::mocking::MockCluster;
use sea_orm::ConnectionTrait;
use serde_json::json;
use testing::{Database, Topics, eventually};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

struct World {
    _database: Database,
    store: Store,
    topics: Topics,
    keys: Vec<Uuid>,
}

impl World {
    async fn new() -> Self {
        let mut migrations = messaging::migrations(1);
        migrations.push(Box::new(crate::counter::Table));
        let database = Database::migrated(migrations).await;
        let (store, topics) = (database.store().await, Topics::new(&["numbers"], 6).await);
        let keys = (0..30).map(|_| ambient::new_id()).collect();
        Self {
            _database: database,
            store,
            topics,
            keys,
        }
    }

    /// Adds 1 to every key, `times` times.
    fn deliver(&self, times: usize) -> Vec<Incoming> {
        let message = |&key| {
            Incoming::from(testing::message(
                "numbers",
                "ADD",
                key,
                &json!({ "amount": 1 }),
            ))
        };
        let records: Vec<_> = (0..times)
            .flat_map(|_| self.keys.iter().map(message))
            .collect();
        self.topics.deliver(&records);
        records
    }

    fn start(&self, slot: &str) -> Instance {
        let mut settings = Settings::new(
            "counter",
            slot,
            self.topics.brokers(),
            self.topics.prefix(),
            &["numbers"],
        );
        settings.batch = 50;
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(
            Consumer::new(settings, self.store.clone(), Counter).run(shutdown.clone()),
        );
        Instance { shutdown, task }
    }

    async fn all_counted(&self, total: i64) {
        for key in &self.keys {
            counted(&self.store, *key, total).await;
        }
    }
}

struct Instance {
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), messaging::consumer::Error>>,
}

impl Instance {
    async fn stop(self) {
        self.shutdown.cancel();
        self.task
            .await
            .expect("the consumer does not panic")
            .expect("the consumer ends cleanly");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_come_and_go_lose_nothing_and_repeat_no_effect() {
    let world = World::new().await;
    world.deliver(10);
    let mut first = world.start("0");
    counted(&world.store, world.keys[0], 10).await;
    let mut total = 10;
    // Each time the one ends in the middle of the rebalance that the other one causes, or just before, or just after.
    for _ in 0..3 {
        let second = world.start("1");
        world.deliver(10);
        first.stop().await;
        world.deliver(10);
        first = world.start("0");
        total += 20;
        world.all_counted(total).await;
        second.stop().await;
    }
    first.stop().await;
    world.all_counted(total).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_dies_without_a_word_is_followed_by_its_successor_at_once() {
    let world = World::new().await;
    world.deliver(10);
    let dying = world.start("0");
    counted(&world.store, world.keys[0], 10).await;
    world.deliver(20);
    // Aborted wherever it is: offsets are not stored, a transaction may be under way.
    dying.task.abort();
    let successor = world.start("0");
    world.all_counted(30).await;
    successor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_relay_repeats_at_new_offsets_has_no_second_effect() {
    let world = World::new().await;
    let records = world.deliver(5);
    world.topics.deliver(&records);
    world.deliver(1);
    let instance = world.start("0");
    world.all_counted(6).await;
    instance.stop().await;
    world.all_counted(6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_larger_than_a_fetch_arrives_and_so_does_what_is_behind_it() {
    let world = World::new().await;
    // Nothing that a codec makes small: several fetches, compressed.
    let mut dice = fastrand::Rng::with_seed(1);
    let padding: String = (0..900_000).map(|_| dice.alphanumeric()).collect();
    let body = json!({ "amount": 10, "padding": padding });
    let large: Vec<_> = world
        .keys
        .iter()
        .map(|&key| Incoming::from(testing::message("numbers", "ADD", key, &body)))
        .collect();
    world.topics.deliver(&large);
    world.deliver(1);
    let instance = world.start("0");
    world.all_counted(11).await;
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_consumer_replays_what_an_operator_asks_for() {
    let world = World::new().await;
    let key = world.keys[0];
    let add = |amount: i64| {
        let body = json!({ "amount": amount });
        Incoming::from(testing::message("numbers", "ADD", key, &body))
    };
    // Postgres refuses a total below zero. Together with the next message it would not be below zero.
    world.topics.deliver(&[add(-1)]);
    let instance = world.start("0");
    let parked = async |count: i64| {
        testing::eventually("what is parked", async || {
            let parked = parking::count(world.store.db(), &Filter::default()).await;
            (parked == Ok(count)).then_some(())
        })
        .await;
    };
    parked(1).await;
    world.topics.deliver(&[add(3)]);
    parked(2).await;
    let mend = format!("INSERT INTO counter VALUES ('{key}', 10)");
    let mended = world.store.db().execute_unprepared(&mend).await;
    mended.expect("it can be mended");
    let request = crate::logbook::request("it can go down now");
    let asked = parking::request_replay(world.store.db(), &Filter::default(), &request).await;
    assert_eq!(asked, Ok(1));
    counted(&world.store, key, 12).await;
    parked(0).await;
    world.topics.deliver(&[add(1)]);
    counted(&world.store, key, 13).await;
    instance.stop().await;
}

/// Far less than the minute after which the client gives up a request.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_kafka_that_hangs_counts_as_away_within_seconds_and_as_there_when_it_answers() {
    let (world, kafka) = (World::new().await, MockCluster::new(1).expect("a port"));
    kafka.create_topic("numbers", 1, 1).expect("a new topic");
    let settings = Settings::new("counter", "0", &kafka.bootstrap_servers(), "", &["numbers"]);
    let consumer = Consumer::new(settings, world.store.clone(), Counter);
    let (status, shutdown) = (consumer.status(), CancellationToken::new());
    let task = tokio::spawn(consumer.run(shutdown.clone()));
    let told = async |up| {
        eventually("the status to tell it", async || {
            (status.is_up() == up).then_some(())
        })
        .await;
    };
    told(true).await;
    let hang = |time| kafka.broker_round_trip_time(1, time).expect("a broker");
    hang(Duration::from_secs(8));
    let noticed = tokio::time::timeout(SOON, told(false)).await;
    noticed.expect("it is noticed soon");
    hang(Duration::ZERO);
    told(true).await;
    Instance { shutdown, task }.stop().await;
}
