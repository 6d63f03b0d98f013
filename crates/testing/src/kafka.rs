//! Topics of its own for a test.

use std::time::Duration;

use messaging::{History, Incoming, consumer::Settings};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    message::{Header, OwnedHeaders},
    metadata::MetadataTopic,
    producer::{BaseProducer, BaseRecord, Producer},
};

use crate::Servers;

/// Topics under a prefix of their own, deleted with this value.
#[derive(Debug)]
pub struct Topics {
    brokers: String,
    prefix: String,
    names: Vec<String>,
}

impl Topics {
    /// The topics `names`, each with `partitions` partitions.
    ///
    /// # Panics
    /// The broker does not answer.
    pub async fn new(names: &[&str], partitions: i32) -> Self {
        let brokers = Servers::get().await.kafka_brokers.clone();
        let prefix = format!("t{}.", ambient::new_id().simple());
        let topics = Self {
            brokers,
            prefix,
            names: names.iter().map(|&name| name.to_owned()).collect(),
        };
        let full: Vec<String> = topics.names.iter().map(|name| topics.full(name)).collect();
        let wanted: Vec<NewTopic<'_>> = full
            .iter()
            .map(|name| NewTopic::new(name, partitions, TopicReplication::Fixed(1)))
            .collect();
        let admin = topics.admin();
        let created = admin
            .create_topics(&wanted, &AdminOptions::new())
            .await
            .expect("the broker answers");
        assert!(
            created.iter().all(Result::is_ok),
            "topics were not created: {created:?}"
        );
        // The controller has them; the broker itself hears of them a moment later.
        crate::eventually("the broker to know its new topics", async || {
            let mut known = full.iter().map(|name| partitions_of(&admin, name));
            known
                .all(|known| usize::try_from(partitions) == Ok(known))
                .then_some(())
        })
        .await;
        topics
    }

    /// What stands before each topic's name: the setting `TOPIC_PREFIX` of the processes under test.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// `host:port` of the broker.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Everything that is in `topic` now, in the order of each partition.
    ///
    /// # Panics
    /// The broker does not answer.
    pub async fn read(&self, topic: &str) -> Vec<Incoming> {
        let settings = Settings::new("reader", "0", &self.brokers, &self.prefix, &[topic]);
        let mut records = Vec::new();
        let read = async {
            let mut history = History::open(&settings).await?;
            let ends = history.ends().await?;
            history.read_to(&ends, |record| records.push(record)).await
        };
        read.await.expect("what the topic has arrives");
        records
    }

    /// Puts `records` into their topics as the relay would, in their order, and waits until the broker has them.
    ///
    /// # Panics
    /// The broker does not answer.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test stands in for the relay here"
    )]
    pub fn deliver(&self, records: &[Incoming]) {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("compression.type", "lz4")
            .create()
            .expect("a producer can be created");
        for record in records {
            let raw = record.raw();
            let headers = raw
                .headers
                .iter()
                .fold(OwnedHeaders::new(), |headers, (key, value)| {
                    headers.insert(Header {
                        key,
                        value: Some(value),
                    })
                });
            let topic = self.full(&raw.topic);
            let record = BaseRecord::to(&topic)
                .key(raw.key.as_deref().unwrap_or_default())
                .payload(&raw.payload);
            producer
                .send(record.headers(headers))
                .map_err(|(error, _)| error)
                .expect("the record is queued");
        }
        producer
            .flush(Duration::from_secs(30))
            .expect("the broker takes the records");
    }

    fn full(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .create()
            .expect("an admin client can be created")
    }
}

/// How many partitions of a topic have somebody who leads them.
fn partitions_of(admin: &AdminClient<DefaultClientContext>, topic: &str) -> usize {
    let metadata = admin
        .inner()
        .fetch_metadata(Some(topic), Duration::from_secs(30))
        .expect("the broker tells its topics");
    let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
    partitions
        .filter(|partition| partition.leader() >= 0)
        .count()
}

impl Drop for Topics {
    fn drop(&mut self) {
        let full: Vec<String> = self.names.iter().map(|name| self.full(name)).collect();
        let names: Vec<&str> = full.iter().map(String::as_str).collect();
        let deleting = std::thread::scope(|scope| {
            let delete = || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                let options = AdminOptions::new();
                let deleted = async { self.admin().delete_topics(&names, &options).await };
                runtime.block_on(deleted).map_err(std::io::Error::other)
            };
            scope.spawn(delete).join()
        });
        if !matches!(deleting, Ok(Ok(_))) {
            tracing::warn!(prefix = self.prefix, "the test topics were not deleted");
        }
    }
}
