//! The loop between Kafka and the [`Processor`]: poll, one transaction for what came (several for much), then the offsets.

mod context;
mod settings;
mod shares;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, StreamExt, stream};
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    error::KafkaError,
    message::BorrowedMessage,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Handler, Incoming, Processor, Store,
    incoming::{self, Raw},
    rest,
    retention::{self, Horizon},
};
use context::Context;
pub use context::Status;
pub use settings::Settings;
use shares::{Partition, Share};

/// A lost wake-up of the client otherwise heals only after half of `max.poll.interval.ms`.
const RECV_PATIENCE: Duration = Duration::from_secs(1);
/// Before a client takes the place of one that had to be replaced.
const REPLACEMENT: Duration = Duration::from_millis(200);
/// Where nothing has come for so long a broker is asked whether it is there: one that hangs is silent, too.
const SILENCE: Duration = Duration::from_secs(3);
/// How long a broker may take to tell its metadata before it counts as away.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// Consumes topics with a [`Handler`].
#[derive(Debug)]
pub struct Consumer<H> {
    settings: Settings,
    processor: Processor<H>,
    status: Arc<Status>,
}

/// Why a consumer ends by itself. The process should end with it and be started again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kafka's client cannot be set up.
    #[error("the Kafka consumer {group} cannot be set up")]
    Kafka {
        /// The consumer's group.
        group: String,
        /// What the client says.
        source: KafkaError,
    },
}

/// What one poll has brought.
#[derive(Default)]
struct Polled {
    /// The records that concern the handler, by partition, each in its order.
    records: BTreeMap<Partition, Vec<Raw>>,
    /// The offsets to go on from, also where nothing concerned it.
    next: BTreeMap<Partition, i64>,
    /// Whether it ended because it was full: more may be waiting, however little of it concerned the handler.
    full: bool,
}

impl Polled {
    fn forget(&mut self, revoked: &Partition) {
        self.records.remove(revoked);
        self.next.remove(revoked);
    }
}

impl<H: Handler> Consumer<H> {
    /// A consumer that gives what it polls to `handler`, on the database of `store`.
    pub fn new(settings: Settings, store: Store, handler: H) -> Self {
        let processor = Processor::new(store, &settings.name, handler);
        Self {
            settings,
            processor,
            status: Arc::default(),
        }
    }

    /// The same, see [`Processor::behind`].
    #[must_use]
    pub fn behind(self, horizon: Horizon) -> Self {
        Self {
            processor: self.processor.behind(horizon),
            ..self
        }
    }

    /// What this consumer knows of Kafka, while it runs.
    #[must_use]
    pub fn status(&self) -> Arc<Status> {
        self.status.clone()
    }

    /// Consumes until `shutdown`. A broker or database that is away is waited for.
    ///
    /// What a poll brings is one transaction, of all its partitions; when it is much, some that run at once, see
    /// [`Settings::concurrency`]. Offsets are stored only after the commit. Between two polls no work is in flight, so a
    /// partition is never given away with unfinished work, and what was polled of a partition that is revoked within the same
    /// poll is dropped.
    ///
    /// # Errors
    /// A client cannot be set up.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), Error> {
        let fail = |source| Error::Kafka {
            group: self.settings.group.clone(),
            source,
        };
        let chores = shutdown.child_token();
        let consuming = async {
            let outcome = self.consume_until(&shutdown).await;
            chores.cancel();
            outcome
        };
        let (outcome, (), ()) = tokio::join!(
            consuming,
            retention::maintain(
                self.processor.store().clone(),
                retention::INBOX,
                chores.clone()
            ),
            self.processor.watch(&chores),
        );
        outcome.map_err(fail)
    }

    /// Consumes with one client after the other.
    ///
    /// A client that has lost its group is not trusted to find its way back: librdkafka 2.12 may then hold partitions
    /// that it never fetches again (ISSUE.md). Its successor has the same name, and so takes its place in the group.
    async fn consume_until(&self, shutdown: &CancellationToken) -> Result<(), KafkaError> {
        loop {
            let consumer = self.subscribe()?;
            self.consume(&consumer, shutdown).await;
            if shutdown.is_cancelled() {
                self.close(consumer).await;
                return Ok(());
            }
            metrics::counter!("consumer_clients_replaced_total", "consumer" => self.settings.name.clone()).increment(1);
            // It may take its time, and has nothing to say any more.
            drop(tokio::task::spawn_blocking(move || drop(consumer)));
            // Two processes in one slot would fence each other as fast as they can.
            let _ = shutdown
                .run_until_cancelled(tokio::time::sleep(REPLACEMENT))
                .await;
        }
    }

    fn subscribe(&self) -> Result<Arc<StreamConsumer<Context>>, KafkaError> {
        let context = Context::new(self.status.clone());
        let consumer: StreamConsumer<Context> =
            self.settings.client().create_with_context(context)?;
        let topics = self.settings.prefixed_topics();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics)?;
        Ok(Arc::new(consumer))
    }

    /// Consumes until `shutdown`, or until the client has to be replaced.
    async fn consume(&self, consumer: &Arc<StreamConsumer<Context>>, shutdown: &CancellationToken) {
        let mut heard = Instant::now();
        while !shutdown.is_cancelled() && !consumer.context().is_broken() {
            let polled = self.poll(consumer, shutdown).await;
            let Polled {
                records,
                mut next,
                full,
            } = polled;
            if next.is_empty() {
                if !self.status.is_up() || heard.elapsed() >= SILENCE {
                    self.probe(consumer).await;
                    heard = Instant::now();
                }
                continue;
            }
            let began = Instant::now();
            heard = began;
            let messages = records.values().map(Vec::len).sum();
            let undone: Vec<_> = stream::iter(shares::of(records, self.settings.share()))
                .map(|share| self.process(share, shutdown))
                .buffer_unordered(self.settings.concurrency)
                .filter_map(std::future::ready)
                .collect()
                .await;
            next.retain(|partition, _| !undone.iter().flatten().any(|it| it == partition));
            store_offsets(consumer, next);
            let rest = rest::after(began.elapsed(), messages, full);
            let _ = shutdown.run_until_cancelled(rest::take(rest)).await;
        }
    }

    /// Waits for a record, then takes what else is there, up to the size of a batch.
    async fn poll(
        &self,
        consumer: &StreamConsumer<Context>,
        shutdown: &CancellationToken,
    ) -> Polled {
        let mut polled = Polled::default();
        let mut count = 0;
        let mut next = tokio::select! {
            received = tokio::time::timeout(RECV_PATIENCE, consumer.recv()) => received.ok(),
            () = shutdown.cancelled() => None,
        };
        while let Some(received) = next {
            for revoked in consumer.context().take_revoked() {
                polled.forget(&revoked);
            }
            match received {
                Ok(record) => {
                    let partition = (record.topic().to_owned(), record.partition());
                    if self.concerns(&record) {
                        let raw = Raw::copy(&record, &self.settings.topic_prefix);
                        let records = polled.records.entry(partition.clone()).or_default();
                        records.push(raw);
                    }
                    polled.next.insert(partition, record.offset() + 1);
                    count += 1;
                }
                Err(error) if is_fatal(&error) => {
                    consumer.context().breaks(&error.to_string());
                    break;
                }
                // The context has told it, once.
                Err(error) if is_away(&error) => {}
                Err(error) => {
                    tracing::warn!(group = self.settings.group, %error, "Kafka: going on");
                }
            }
            next = (count < self.settings.batch)
                .then(|| consumer.recv().now_or_never())
                .flatten();
        }
        polled.full = count >= self.settings.batch;
        for revoked in consumer.context().take_revoked() {
            polled.forget(&revoked);
        }
        if count > 0 {
            self.status.heard();
        }
        polled
    }

    /// Whether a record is for this handler, as far as its type tells: most of a shared topic is for somebody else, and is not
    /// even copied.
    fn concerns(&self, record: &BorrowedMessage<'_>) -> bool {
        let topic = record.topic();
        let topic = topic
            .strip_prefix(&self.settings.topic_prefix)
            .unwrap_or(topic);
        incoming::kind(record).is_none_or(|kind| self.processor.concerns(topic, kind))
    }

    /// Handles the records of some partitions. Gives these partitions when that was not done, because the process is to stop.
    async fn process(
        &self,
        share: Share<Raw>,
        shutdown: &CancellationToken,
    ) -> Option<Vec<Partition>> {
        let (mut partitions, mut batch) = (Vec::with_capacity(share.len()), Vec::new());
        for (partition, records) in share {
            partitions.push(partition);
            batch.extend(records.into_iter().map(Incoming::from));
        }
        metrics::histogram!("consumer_batch_messages", "consumer" => self.settings.name.clone())
            .record(batch.len() as f64);
        let processed = self.processor.process(batch, shutdown).await;
        processed.is_err().then_some(partitions)
    }

    /// Asks a broker whether it is there, so that the status tells the truth without traffic.
    async fn probe(&self, consumer: &Arc<StreamConsumer<Context>>) {
        let client = consumer.clone();
        let answer = tokio::task::spawn_blocking(move || {
            client.fetch_metadata(Some(""), PROBE_PATIENCE).is_ok()
        });
        match answer.await {
            Ok(true) => self.status.heard(),
            Ok(false) => self.status.lost("it does not answer"),
            // The runtime is shutting down.
            Err(_) => {}
        }
    }

    async fn close(&self, consumer: Arc<StreamConsumer<Context>>) {
        // It commits what is stored. What it does not get to commit comes again, and the inbox knows it.
        let closing = tokio::task::spawn_blocking(move || drop(consumer));
        if closing.await.is_err() {
            tracing::warn!(
                group = self.settings.group,
                "the Kafka consumer did not close cleanly"
            );
        }
    }
}

fn store_offsets(consumer: &StreamConsumer<Context>, next: BTreeMap<Partition, i64>) {
    let mut offsets = TopicPartitionList::new();
    let added = next.into_iter().try_for_each(|((topic, partition), next)| {
        offsets.add_partition_offset(&topic, partition, Offset::Offset(next))
    });
    if let Err(error) = added.and_then(|()| consumer.store_offsets(&offsets)) {
        // A partition that was taken away meanwhile: its new owner sees the batch again, and the inbox knows it.
        tracing::info!(%error, "offsets were not stored");
    }
}

/// Whether the broker cannot be reached. It says so for every partition and every attempt.
fn is_away(error: &KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(Code::AllBrokersDown | Code::BrokerTransportFailure)
    )
}

/// Whether this client is done for. After a session that lapsed it may even fence itself: it joins again under its name, and
/// what it was before is refused.
fn is_fatal(error: &KafkaError) -> bool {
    use rdkafka::types::RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(Code::Fatal | Code::FencedInstanceId)
    )
}
