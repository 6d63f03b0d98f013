//! The topics: their ends, how far each consumer has come, and what they hold. No group is joined, and no offset stored.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use contracts::Topic;
use messaging::{Incoming, Raw};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    metadata::{MetadataPartition, MetadataTopic},
};

/// How long the broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Who reads what. Each consumer's group has its service's name.
const READERS: [(&str, &[Topic]); 7] = [
    ("order-service", &[Topic::OrderReply]),
    ("customer-service", &[Topic::OrderCustomer]),
    ("restaurant-service", &[Topic::OrderTicket]),
    ("payment-service", &[Topic::OrderPayment]),
    ("kitchen-service", &[Topic::OrderKitchen]),
    ("delivery-service", &[Topic::OrderReply]),
    ("order-view", Topic::ALL),
];

/// A Kafka with the five topics. Cheap to clone; every question is asked in a thread that may wait.
#[derive(Clone)]
pub(crate) struct Kafka {
    brokers: Arc<str>,
    prefix: Arc<str>,
    /// By the name of the group: to get to know the brokers takes longer than most questions.
    clients: Arc<Mutex<HashMap<&'static str, Client>>>,
}

type Client = Arc<BaseConsumer>;

/// An offset of each partition of each topic.
pub(crate) type Offsets = BTreeMap<(Topic, i32), i64>;

/// Where the partitions begin and end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) first: Offsets,
    pub(crate) end: Offsets,
}

impl Kafka {
    pub(crate) fn new(brokers: &str, prefix: &str) -> Self {
        Self {
            brokers: brokers.into(),
            prefix: prefix.into(),
            clients: Arc::default(),
        }
    }

    /// Where the partitions begin and end now.
    ///
    /// # Errors
    /// The broker does not answer, or a topic does not exist.
    pub(crate) async fn ends(&self) -> anyhow::Result<Ends> {
        self.apart(|kafka| {
            let client = kafka.client("operator")?;
            let mut ends = Ends::default();
            for &topic in Topic::ALL {
                let full = kafka.full(topic);
                let metadata = client
                    .fetch_metadata(Some(&full), PATIENCE)
                    .with_context(|| format!("Kafka at {}", kafka.brokers))?;
                let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
                let partitions: Vec<i32> = partitions.map(MetadataPartition::id).collect();
                ensure!(!partitions.is_empty(), "Kafka has no topic {full}");
                for partition in partitions {
                    let (first, end) = client.fetch_watermarks(&full, partition, PATIENCE)?;
                    ends.first.insert((topic, partition), first);
                    ends.end.insert((topic, partition), end);
                }
            }
            Ok(ends)
        })
        .await
    }

    /// The consumers that have not come to these ends yet, with how many records are ahead of each.
    ///
    /// # Errors
    /// The broker does not answer.
    pub(crate) async fn behind(&self, ends: &Ends) -> anyhow::Result<BTreeMap<&'static str, i64>> {
        let ends = ends.clone();
        self.apart(move |kafka| {
            let mut behind = BTreeMap::new();
            for (name, topics) in READERS {
                let wanted = ends
                    .end
                    .iter()
                    .filter(|((topic, _), _)| topics.contains(topic));
                let mut list = TopicPartitionList::new();
                for ((topic, partition), _) in wanted.clone() {
                    list.add_partition(&kafka.full(*topic), *partition);
                }
                let client = kafka.client(name)?;
                let committed = client
                    .committed_offsets(list, PATIENCE)
                    .with_context(|| format!("the offsets of {name}"))?;
                let missing: i64 = wanted
                    .map(|(at, end)| {
                        let found = committed.find_partition(&kafka.full(at.0), at.1);
                        let reached = match found.map(|found| found.offset()) {
                            Some(Offset::Offset(offset)) => offset,
                            // It has stored nothing yet, and will begin at the beginning.
                            _ => ends.first.get(at).copied().unwrap_or(0),
                        };
                        (end - reached).max(0)
                    })
                    .sum();
                if missing > 0 {
                    behind.insert(name, missing);
                }
            }
            Ok(behind)
        })
        .await
    }

    /// The first offsets at or after a moment, in one partition of each topic; the ends where there is none.
    ///
    /// # Errors
    /// The broker does not answer.
    pub(crate) async fn since(
        &self,
        moment: DateTime<Utc>,
        partition: i32,
        ends: &Ends,
    ) -> anyhow::Result<Offsets> {
        let ends = ends.clone();
        self.apart(move |kafka| {
            let client = kafka.client("operator")?;
            let mut list = TopicPartitionList::new();
            let here = ends.end.iter().filter(|((_, it), _)| *it == partition);
            for ((topic, _), _) in here.clone() {
                let moment = Offset::Offset(moment.timestamp_millis());
                list.add_partition_offset(&kafka.full(*topic), partition, moment)?;
            }
            let found = client.offsets_for_times(list, PATIENCE)?;
            let starts = here.map(|(at, end)| {
                let found = found.find_partition(&kafka.full(at.0), at.1);
                match found.map(|found| found.offset()) {
                    Some(Offset::Offset(offset)) => (*at, offset),
                    _ => (*at, *end),
                }
            });
            Ok(starts.collect())
        })
        .await
    }

    /// Reads from `from` up to `ends`, and folds what is read into `state`.
    ///
    /// # Errors
    /// The broker does not answer, or goes silent.
    pub(crate) async fn read<S: Send + 'static>(
        &self,
        from: Offsets,
        ends: &Ends,
        mut state: S,
        each: impl Fn(&mut S, Incoming) + Send + 'static,
    ) -> anyhow::Result<S> {
        let ends = ends.end.clone();
        self.apart(move |kafka| {
            let client = kafka.client("operator")?;
            let mut left: HashMap<(String, i32), i64> = HashMap::new();
            let mut list = TopicPartitionList::new();
            for (at, start) in from {
                let end = ends.get(&at).copied().unwrap_or(start);
                if start < end {
                    let full = kafka.full(at.0);
                    list.add_partition_offset(&full, at.1, Offset::Offset(start))?;
                    left.insert((full, at.1), end);
                }
            }
            client.assign(&list)?;
            while !left.is_empty() {
                let record = client.poll(PATIENCE).context("Kafka went silent")??;
                let at = (record.topic().to_owned(), record.partition());
                let Some(&end) = left.get(&at) else { continue };
                if record.offset() < end {
                    each(
                        &mut state,
                        Incoming::from(Raw::copy(&record, &kafka.prefix)),
                    );
                }
                if record.offset() + 1 >= end {
                    left.remove(&at);
                }
            }
            client.unassign()?;
            Ok(state)
        })
        .await
    }

    fn full(&self, topic: Topic) -> String {
        format!("{}{topic}", self.prefix)
    }

    /// A client with the name of a group that it never joins: partitions are assigned by hand, if at all.
    fn client(&self, group: &'static str) -> anyhow::Result<Client> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(group) {
            return Ok(client.clone());
        }
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &*self.brokers)
            .set("group.id", format!("{}{group}", self.prefix))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("fetch.wait.max.ms", "10")
            .set("queued.max.messages.kbytes", "8192")
            .set("fetch.queue.backoff.ms", "10")
            .create()?;
        Ok(clients.entry(group).or_insert(Arc::new(client)).clone())
    }

    /// The client's calls wait, so they do it in a thread of their own.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let kafka = self.clone();
        tokio::task::spawn_blocking(move || work(&kafka)).await?
    }
}
