//! The topics: their ends, how far each consumer has come, and what they hold. No group is joined, and no offset stored.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use contracts::Topic;
use messaging::{History, consumer::Settings, history::Offsets};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use tokio::sync::OnceCell;

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

    /// The consumers that have not come to these ends yet, with how many records are ahead of each.
    ///
    /// # Errors
    /// The broker does not answer.
    pub(crate) async fn behind(
        &self,
        ends: &Offsets,
    ) -> anyhow::Result<BTreeMap<&'static str, i64>> {
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
                let missing: i64 = wanted
                    .map(|(at, end)| {
                        let found = committed.find_partition(&kafka.full(&at.0), at.1);
                        let reached = match found.map(|found| found.offset()) {
                            Some(Offset::Offset(offset)) => offset,
                            // It has stored nothing yet, and will begin at the beginning.
                            _ => first.get(at).copied().unwrap_or(0),
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
