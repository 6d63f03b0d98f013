//! How a consumer is set up, and why each setting of the client differs from its default.

use rdkafka::ClientConfig;

/// The most bytes of an answer to a fetch, all partitions together.
const FETCH: &str = "262144";

/// What a consumer needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the consumer in the tables `inbox` and `parked`, and in metrics.
    pub name: String,
    /// `host:port`, comma separated.
    pub brokers: String,
    /// The consumer group, with the prefix of the installation.
    pub group: String,
    /// Stable per process slot (static membership): a process that comes back takes its partitions over at once.
    pub instance_id: String,
    /// Topics, without prefix.
    pub topics: Vec<String>,
    /// Stands before each topic's name in Kafka, so that installations can share a cluster.
    pub topic_prefix: String,
    /// The most records of one poll. What is being handled is held in memory several times over: records, rows, statements.
    pub batch: usize,
    /// How many transactions a full poll is shared out to, which then run at once; each takes a connection of the database
    /// pool. A partition is never divided between them.
    pub concurrency: usize,
}

impl Settings {
    /// Settings of consumer `name` (its group too) in process slot `slot` on `topics`.
    #[must_use]
    pub fn new(name: &str, slot: &str, brokers: &str, topic_prefix: &str, topics: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            brokers: brokers.to_owned(),
            group: format!("{topic_prefix}{name}"),
            instance_id: format!("{name}-{slot}"),
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
            topic_prefix: topic_prefix.to_owned(),
            batch: 200,
            concurrency: 2,
        }
    }

    /// So many records are enough for a transaction of their own.
    pub(super) fn share(&self) -> usize {
        self.batch.div_ceil(self.concurrency.max(1))
    }

    pub(super) fn prefixed_topics(&self) -> Vec<String> {
        self.topics
            .iter()
            .map(|topic| format!("{}{topic}", self.topic_prefix))
            .collect()
    }

    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", &self.group)
            .set("client.id", &self.instance_id)
            .set("group.instance.id", &self.instance_id)
            // A process that never comes back: another takes its partitions after this.
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "1500")
            // Not cooperative-sticky: there a member that ends between giving up partitions and joining again, and comes back under
            // its name, is given what it kept, and nobody is given what it gave up, until the group changes again.
            .set("partition.assignment.strategy", "range")
            // Offsets follow the database's commit, never the poll.
            .set("enable.auto.offset.store", "false")
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "1000")
            .set("auto.offset.reset", "earliest")
            // Latency: no waiting for more bytes, and no second of pause when a queue was full.
            .set("fetch.min.bytes", "1")
            .set("fetch.wait.max.ms", "500")
            .set("fetch.queue.backoff.ms", "20")
            // Memory: the defaults prefetch 64 MiB. A fetch is counted compressed, and held unpacked, headers and all, beside what is
            // queued: some three times as much. It must not be less than `message.max.bytes`, which to a consumer is only the
            // most with which it begins to unpack (librdkafka 2.12): a larger message comes all the same, alone.
            .set("queued.min.messages", "10000")
            .set("queued.max.messages.kbytes", "512")
            .set("fetch.max.bytes", FETCH)
            .set("message.max.bytes", FETCH)
            .set("fetch.message.max.bytes", "131072")
            .set("receive.message.max.bytes", "4194304")
            // Coming back: the defaults wait up to ten seconds.
            .set("reconnect.backoff.ms", "20")
            .set("reconnect.backoff.max.ms", "500")
            .set("retry.backoff.ms", "20")
            .set("topic.metadata.refresh.interval.ms", "5000")
            .set("socket.nagle.disable", "true")
            // Tells whether what is assigned is fetched.
            .set("statistics.interval.ms", "5000");
        config
    }
}
