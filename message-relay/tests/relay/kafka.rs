//! Kafka refuses, or is away.

use std::{collections::HashMap, time::Duration};

use message_relay::producer;
use rdkafka::{
    ClientConfig, Message as _,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::KafkaResult,
    message::{BorrowedMessage, Headers},
    mocking::MockCluster,
};
use testing::eventually;

use crate::world::{TOPIC, World};

impl World {
    async fn limit_messages(&self, bytes: &str) {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", self.topics.brokers())
            .create()
            .unwrap();
        let topic = format!("{}{TOPIC}", self.topics.prefix());
        let limit = AlterConfig {
            specifier: ResourceSpecifier::Topic(&topic),
            entries: HashMap::from([("max.message.bytes", bytes)]),
        };
        admin
            .alter_configs([&limit], &AdminOptions::new())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_record_that_kafka_refuses_is_never_overtaken() {
    let (world, key) = (World::new().await, ambient::new_id());
    world.limit_messages("200000").await;
    world.publish(key, 1..101).await;
    world
        .run(&format!(
            "INSERT INTO outbox (shard, id, message_id, key, sequence, occurred_at, topic, kind, body)
             SELECT 0, nextval('outbox_s0_id'), gen_random_uuid(), '{key}', 101, now(), '{TOPIC}', 'LARGE',
                    string_agg(gen_random_uuid()::text, '') FROM generate_series(1, 20000)"
        ))
        .await;
    world.publish(key, 102..300).await;
    let relay = world.start("relay-0");
    let failures = relay.relay.producer.status();
    eventually("the producer to fail more than once", async || {
        (failures.failures() > 2).then_some(())
    })
    .await;
    assert_eq!(
        world.first_appearances().await[&key],
        (1..101).collect::<Vec<_>>()
    );

    world.limit_messages("1048588").await;
    world.drained().await;
    assert_eq!(
        world.first_appearances().await[&key],
        (1..300).collect::<Vec<_>>()
    );
    relay.stop().await;
}

#[tokio::test]
async fn a_record_that_the_client_refuses_holds_back_its_shard_and_is_told() {
    let (world, key) = (World::new().await, ambient::new_id());
    world.publish(key, 1..5).await;
    world
        .run(&format!(
            "INSERT INTO outbox (shard, id, message_id, key, sequence, occurred_at, topic, kind, body)
             VALUES (0, nextval('outbox_s0_id'), gen_random_uuid(), '{key}', 5, now(), '{TOPIC}', 'LARGE', repeat('x', 2000000))"
        ))
        .await;
    world.publish(key, 6..9).await;
    let relay = world.start("relay-0");
    let problem = eventually("the problem to be told", async || {
        relay.relay.board.shards().first()?.problem.clone()
    })
    .await;
    assert!(problem.contains("row Some(5) cannot be sent"), "{problem}");
    eventually("the rows before it", async || {
        (world.ask("SELECT position::text FROM relay.shard").await == "4").then_some(())
    })
    .await;
    assert_eq!(world.first_appearances().await[&key], [1, 2, 3, 4]);
    // An operator corrects it: it is read again, and the rest follows.
    world
        .run("UPDATE outbox SET body = '{}' WHERE id = 5")
        .await;
    world.drained().await;
    assert_eq!(
        world.first_appearances().await[&key],
        (1..9).collect::<Vec<_>>()
    );
    assert!(relay.relay.board.shards()[0].problem.is_none());
    relay.stop().await;
}

/// The sequence numbers of the first `count` records of a topic with one partition.
fn sequences(brokers: &str, topic: &str, count: usize) -> Vec<i64> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "reader")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    // A poll may also end because of something else that the consumer had to do.
    let records = (0..count + 30).filter_map(|_| consumer.poll(Duration::from_secs(1)));
    let sequence = |record: KafkaResult<BorrowedMessage<'_>>| {
        let record = record.unwrap();
        let headers = record.headers().unwrap();
        let header = headers
            .iter()
            .find(|header| header.key == "ce_sequence")
            .unwrap();
        std::str::from_utf8(header.value.unwrap())
            .unwrap()
            .parse()
            .unwrap()
    };
    records.take(count).map(sequence).collect()
}

#[tokio::test]
async fn a_kafka_that_is_away_is_waited_for_and_told() {
    let (world, key) = (World::new().await, ambient::new_id());
    let kafka = MockCluster::new(1).unwrap();
    let topic = format!("{}{TOPIC}", world.topics.prefix());
    kafka.create_topic(&topic, 1, 1).unwrap();
    let relay = world.start_with(
        "relay-0",
        producer::Settings::new(&kafka.bootstrap_servers()),
    );
    world.publish(key, 0..100).await;
    world.drained().await;

    kafka.broker_down(1).unwrap();
    for first in (100..5_000).step_by(100) {
        world.publish(key, first..first + 100).await;
    }
    let status = relay.relay.producer.status();
    eventually("the outage to be noticed", async || {
        (!status.is_up()).then_some(())
    })
    .await;
    eventually("the backlog to be told", async || {
        (relay.relay.board.shards()[0].backlog == 4_900).then_some(())
    })
    .await;
    assert!(
        relay.relay.producer.generation().in_flight() <= 3_000,
        "memory is bounded"
    );

    kafka.broker_up(1).unwrap();
    world.drained().await;
    assert!(status.is_up());
    assert_eq!(status.failures(), 0, "waiting is no failure");
    relay.stop().await;
    assert_eq!(
        sequences(&kafka.bootstrap_servers(), &topic, 5_000),
        (0..5_000).collect::<Vec<_>>()
    );
}

/// How long the thread of this test has not waited.
fn busy() -> Duration {
    let runtime = tokio::runtime::Handle::current();
    runtime.metrics().worker_total_busy_duration(0)
}

#[tokio::test]
async fn a_topic_that_is_missing_is_waited_for_at_rest() {
    let (world, key) = (World::new().await, ambient::new_id());
    world
        .run(&format!(
            "INSERT INTO outbox (shard, id, message_id, key, sequence, occurred_at, topic, kind, body)
             VALUES (0, nextval('outbox_s0_id'), gen_random_uuid(), '{key}', 1, now(), 'not-there', 'X', '{{}}')"
        ))
        .await;
    let relay = world.start("relay-0");
    eventually("the row to be under way", async || {
        (relay.relay.producer.generation().in_flight() == 1).then_some(())
    })
    .await;
    // Longer than a lease lasts, than librdkafka's usual patience with its first answer, and than an outbox needs to count as quiet.
    let before = busy();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let worked = busy() - before;
    assert!(
        worked < Duration::from_secs(1),
        "it works for {worked:?} of three seconds in which there is nothing to do"
    );
    assert_eq!(relay.relay.producer.generation().in_flight(), 1);
    assert_eq!(relay.relay.producer.status().failures(), 0);
    relay.kill().await;
}
