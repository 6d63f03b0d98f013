//! The five topics: where they end, how far each consumer is behind, and what was said.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use contracts::Topic;
use messaging::consumer::Settings;
use messaging::history::Offsets;
use messaging::{History, Incoming, Message};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::sync::OnceCell;
use visitor::platform::Platform;

/// How long the broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// So many records are read at once.
const PAGE: usize = 10_000;

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

/// The topics of a platform. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Topics {
    brokers: Arc<str>,
    prefix: Arc<str>,
    /// Asked for ends over and over: to get to know the brokers takes longer than most questions.
    all: Arc<OnceCell<History>>,
    /// One for each group, for the same reason.
    clients: Arc<Mutex<HashMap<&'static str, Arc<BaseConsumer>>>>,
}

impl Topics {
    /// Those of a platform, as its order-service is told of them.
    ///
    /// # Errors
    /// It is not.
    pub(crate) fn of(platform: &Platform) -> anyhow::Result<Self> {
        let environment = &platform.member("order-service")?.environment;
        let told = |name: &str| {
            let value = environment.get(name);
            value.with_context(|| format!("order-service is not told {name}"))
        };
        Ok(Self {
            brokers: told("KAFKA_BROKERS")?.as_str().into(),
            prefix: told("TOPIC_PREFIX")?.as_str().into(),
            all: Arc::default(),
            clients: Arc::default(),
        })
    }

    /// `host:port` of the broker.
    pub(crate) fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Where these topics end now.
    ///
    /// # Errors
    /// The broker's.
    pub(crate) async fn ends(&self, topics: &[Topic]) -> anyhow::Result<Offsets> {
        let all = self.all.get_or_try_init(|| self.history(Topic::ALL));
        let mut ends = all.await?.ends().await?;
        ends.retain(|(name, _), _| topics.iter().any(|topic| topic.as_str() == name));
        Ok(ends)
    }

    /// How many records were ever written to all topics.
    ///
    /// # Errors
    /// The broker's.
    pub(crate) async fn records(&self) -> anyhow::Result<i64> {
        Ok(self.ends(Topic::ALL).await?.values().sum())
    }

    /// What was said on these topics since `from`, which must be ends of just these.
    ///
    /// # Errors
    /// The broker's; or a record is no message.
    pub(crate) async fn since(
        &self,
        topics: &[Topic],
        from: Offsets,
        mut each: impl FnMut(Message),
    ) -> anyhow::Result<()> {
        let mut history = self.history(topics).await?;
        let ends = history.ends().await?;
        history.go_to(from);
        loop {
            let read = history.read(&ends, PAGE).await?;
            if read.is_empty() {
                return Ok(());
            }
            for incoming in read {
                match incoming {
                    Incoming::Readable(message, _) => each(*message),
                    Incoming::Broken(raw, why) => {
                        anyhow::bail!("a record of {} is no message: {why}", raw.topic)
                    }
                }
            }
        }
    }

    /// How many records are ahead of all consumers together. Offsets are stored once a second, so it is never zero under load.
    ///
    /// # Errors
    /// The broker's.
    pub(crate) async fn lag(&self) -> anyhow::Result<i64> {
        let ends = self.ends(Topic::ALL).await?;
        let topics = self.clone();
        tokio::task::spawn_blocking(move || {
            READERS
                .iter()
                .map(|(group, read)| topics.behind(group, read, &ends))
                .sum()
        })
        .await?
    }

    fn behind(&self, group: &'static str, read: &[Topic], ends: &Offsets) -> anyhow::Result<i64> {
        let own: BTreeMap<_, _> = ends
            .iter()
            .filter(|((name, _), _)| read.iter().any(|topic| topic.as_str() == name))
            .collect();
        let mut list = TopicPartitionList::new();
        for (name, partition) in own.keys() {
            list.add_partition(&format!("{}{name}", self.prefix), *partition);
        }
        let client = self.client(group)?;
        let stored = client.committed_offsets(list, PATIENCE)?;
        let missing = own.into_iter().map(|((name, partition), end)| {
            let place = stored.find_partition(&format!("{}{name}", self.prefix), *partition);
            match place.map(|place| place.offset()) {
                Some(Offset::Offset(offset)) => (end - offset).max(0),
                _ => *end,
            }
        });
        Ok(missing.sum())
    }

    async fn history(&self, topics: &[Topic]) -> anyhow::Result<History> {
        let names: Vec<&str> = topics.iter().map(|topic| topic.as_str()).collect();
        let settings = Settings::new("bench", "0", &self.brokers, &self.prefix, &names);
        Ok(History::open(&settings).await?)
    }

    /// A client with the name of a group that it never joins.
    fn client(&self, group: &'static str) -> anyhow::Result<Arc<BaseConsumer>> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(group) {
            return Ok(Arc::clone(client));
        }
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &*self.brokers)
            .set("group.id", format!("{}{group}", self.prefix))
            .set("enable.auto.commit", "false")
            .create()?;
        Ok(Arc::clone(clients.entry(group).or_insert(Arc::new(client))))
    }
}
