//! The topics: their ends, how far each consumer has come, and what they hold. No group is joined, and no offset stored.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use contracts::Topic;
use messaging::{History, Incoming, Raw, consumer::Settings, history::Offsets};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use tokio::sync::OnceCell;

use crate::output;

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

/// What is ahead of a consumer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Backlog {
    /// How many records.
    pub(crate) records: i64,
    /// Where they begin.
    pub(crate) from: Offsets,
}

/// For people.
pub(crate) fn unread(consumer: &str, backlog: &Backlog) -> String {
    let records = output::count(backlog.records, "record");
    format!("{consumer} has {records} to read")
}

/// A Kafka with the five topics. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Kafka {
    brokers: Arc<str>,
    prefix: Arc<str>,
    /// The topics, for questions about where they begin and end.
    topics: Arc<OnceCell<History>>,
    /// By the name of the group: to get to know the brokers takes longer than most questions.
    clients: Arc<Mutex<HashMap<&'static str, Client>>>,
}

type Client = Arc<BaseConsumer>;

impl Kafka {
    pub(crate) fn new(brokers: &str, prefix: &str) -> Self {
        Self {
            brokers: brokers.into(),
            prefix: prefix.into(),
            topics: Arc::default(),
            clients: Arc::default(),
        }
    }

    /// The five topics, to be read from their beginning.
    ///
    /// # Errors
    /// The broker does not answer, or a topic does not exist.
    pub(crate) async fn history(&self) -> anyhow::Result<History> {
        let topics: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
        let settings = Settings::new("operator", "audit", &self.brokers, &self.prefix, &topics);
        let history = History::open(&settings).await;
        history.with_context(|| format!("Kafka at {}", self.brokers))
    }

    /// Where the partitions end now.
    ///
    /// # Errors
    /// The broker does not answer, or a topic does not exist.
    pub(crate) async fn ends(&self) -> anyhow::Result<Offsets> {
        Ok(self.topics().await?.ends().await?)
    }

    /// The consumers that have not come to these ends yet, with what is ahead of each.
    ///
    /// # Errors
    /// The broker does not answer.
    pub(crate) async fn behind(
        &self,
        ends: &Offsets,
    ) -> anyhow::Result<BTreeMap<&'static str, Backlog>> {
        let first = self.topics().await?.place().clone();
        let ends = ends.clone();
        self.apart(move |kafka| {
            let mut behind = BTreeMap::new();
            for (name, topics) in READERS {
                let wanted = ends
                    .iter()
                    .filter(|((it, _), _)| topics.iter().any(|topic| topic.as_str() == it));
                let mut list = TopicPartitionList::new();
                for ((topic, partition), _) in wanted.clone() {
                    list.add_partition(&kafka.full(topic), *partition);
                }
                let client = kafka.client(name)?;
                let committed = client
                    .committed_offsets(list, PATIENCE)
                    .with_context(|| format!("the offsets of {name}"))?;
                let mut backlog = Backlog::default();
                for (at, end) in wanted {
                    // Who has stored nothing yet will begin at the beginning.
                    let mut reached = first.get(at).copied().unwrap_or(0);
                    let found = committed.find_partition(&kafka.full(&at.0), at.1);
                    if let Some(Offset::Offset(offset)) = found.map(|found| found.offset()) {
                        reached = reached.max(offset);
                    }
                    if reached < *end {
                        backlog.records += end - reached;
                        backlog.from.insert(at.clone(), reached);
                    }
                }
                if backlog.records > 0 {
                    behind.insert(name, backlog);
                }
            }
            Ok(behind)
        })
        .await
    }

    /// The record at one of these places that came to Kafka before those at the others.
    ///
    /// # Errors
    /// The broker does not answer.
    pub(crate) async fn oldest(&self, places: &Offsets) -> anyhow::Result<Option<Raw>> {
        let mut history = self.history().await?;
        history.go_to(places.clone());
        let ends = places.iter().map(|(at, offset)| (at.clone(), offset + 1));
        let mut oldest: Option<Raw> = None;
        let hear = |record: Incoming| {
            let raw = record.raw();
            if oldest.as_ref().is_none_or(|oldest| raw.at < oldest.at) {
                oldest = Some(raw.clone());
            }
        };
        history.read_to(&ends.collect(), hear).await?;
        Ok(oldest)
    }

    /// Stays where they begin.
    async fn topics(&self) -> anyhow::Result<&History> {
        self.topics.get_or_try_init(|| self.history()).await
    }

    fn full(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }

    /// A client with the name of a group that it never joins, to be asked for that group's offsets.
    fn client(&self, group: &'static str) -> anyhow::Result<Client> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(group) {
            return Ok(client.clone());
        }
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &*self.brokers)
            .set("group.id", format!("{}{group}", self.prefix))
            .set("enable.auto.commit", "false")
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
