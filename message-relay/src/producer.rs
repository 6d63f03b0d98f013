//! The way into Kafka: one idempotent producer for the whole process, replaced as a whole when anything goes wrong.
//!
//! What a producer appends to a partition is, at every moment, a beginning of what was handed to it for that partition,
//! in that order, without a gap. That is what the README's argument about order rests on, and what the settings below are for.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
    message::{DeliveryResult, OwnedHeaders},
    producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext, PurgeConfig},
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::flight::Flight;

/// How long to wait before a new producer takes the place of a failed one: from one to the other, doubling while they fail.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// A producer that served so long has not failed at once.
const PROVEN: Duration = Duration::from_secs(30);

/// How long a thread that waits for delivery reports takes to notice that nobody needs it any more.
const LISTEN: Duration = Duration::from_secs(1);

/// How Kafka is met.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `host:port`, several separated by commas.
    pub brokers: String,
    /// Options of librdkafka on top of, or instead of, those that the relay sets. For measurements and tests.
    pub overrides: Vec<(String, String)>,
}

impl Settings {
    /// The settings for these brokers.
    #[must_use]
    pub fn new(brokers: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            overrides: Vec::new(),
        }
    }

    /// The options of librdkafka that come of them.
    #[must_use]
    pub fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "message-relay")
            // In order, once per producer, no gap: a batch that is refused is a fatal error, not a gap.
            .set("enable.idempotence", "true")
            .set("enable.gapless.guarantee", "true")
            .set("acks", "all")
            .set("max.in.flight.requests.per.connection", "5")
            // Nothing is ever dropped for being late. A topic that is missing is waited for, too: for half an hour, because
            // librdkafka 2.12 takes what is above 2,147,483 ms for a negative number, and gives up at once.
            .set("message.timeout.ms", "0")
            .set("topic.metadata.propagation.max.ms", "1800000")
            .set("partitioner", "murmur2_random")
            .set("compression.type", "lz4")
            .set("linger.ms", "0")
            // Bounds of memory.
            .set("queue.buffering.max.messages", "3000")
            .set("queue.buffering.max.kbytes", "4096")
            .set("batch.size", "131072")
            // Kafka comes back: notice it soon.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "500")
            .set("retry.backoff.ms", "20")
            .set("socket.nagle.disable", "true")
            .set("socket.keepalive.enable", "true")
            .set("topic.metadata.refresh.interval.ms", "30000")
            .set("log.connection.close", "false");
        for (key, value) in &self.overrides {
            config.set(key, value);
        }
        config
    }
}

/// What is known of Kafka, and of this process' producers.
#[derive(Debug, Default)]
pub struct Status {
    down: AtomicBool,
    failures: AtomicU64,
    reason: Mutex<Option<String>>,
}

impl Status {
    /// Whether Kafka could be reached when it was last needed.
    #[must_use]
    pub fn is_up(&self) -> bool {
        !self.down.load(Ordering::Relaxed)
    }

    /// How many producers have failed and were replaced.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Why the last one failed.
    #[must_use]
    pub fn last_failure(&self) -> Option<String> {
        self.reason
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn up(&self) {
        if self.down.load(Ordering::Relaxed) && self.down.swap(false, Ordering::Relaxed) {
            tracing::info!("Kafka is back");
        }
    }

    fn down(&self, reason: &str) {
        if !self.down.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason, "Kafka is away: waiting for it");
        }
    }
}

/// The process' way into Kafka. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Producer {
    current: watch::Receiver<Arc<Generation>>,
    status: Arc<Status>,
}

impl Producer {
    /// A producer, and the work that replaces it when it fails: to be run until `shutdown`.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn start(
        settings: Settings,
        shutdown: CancellationToken,
    ) -> KafkaResult<(Self, impl Future<Output = KafkaResult<()>> + Send + 'static)> {
        let status = Arc::new(Status::default());
        let first = Arc::new(Generation::new(&settings, 1, Arc::clone(&status))?);
        let (sender, current) = watch::channel(first);
        let producer = Self {
            current,
            status: Arc::clone(&status),
        };
        let work = async move {
            tokio::select! {
                // Holds no state that could be left half-way.
                ended = replace(settings, sender, status) => ended,
                () = shutdown.cancelled() => Ok(()),
            }
        };
        Ok((producer, work))
    }

    /// The producer of the moment.
    #[must_use]
    pub fn generation(&self) -> Arc<Generation> {
        Arc::clone(&self.current.borrow())
    }

    /// What is known of Kafka.
    #[must_use]
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.status)
    }
}

async fn replace(
    settings: Settings,
    sender: watch::Sender<Arc<Generation>>,
    status: Arc<Status>,
) -> KafkaResult<()> {
    let (mut pause, longest) = BACKOFF;
    loop {
        let generation = Arc::clone(&sender.borrow());
        let began = tokio::time::Instant::now();
        generation.health.failure.notified().await;
        status.failures.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("relay_producer_failures_total").increment(1);
        generation.purge();
        if began.elapsed() > PROVEN {
            pause = BACKOFF.0;
        }
        tokio::time::sleep(pause).await;
        pause = longest.min(pause * 2);
        let number = generation.number + 1;
        sender.send_replace(Arc::new(Generation::new(
            &settings,
            number,
            Arc::clone(&status),
        )?));
    }
}

/// One producer, from its creation to its first failure.
pub struct Generation {
    number: u64,
    health: Arc<Health>,
    kafka: Arc<BaseProducer<Reports>>,
    dropped: Arc<AtomicBool>,
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Relaxed);
    }
}

/// Takes delivery reports as they come, on a thread of its own, until the generation is dropped. (rdkafka's own thread for
/// that wakes ten times a second although nothing happens, and makes whoever drops the producer wait.)
fn listen(kafka: Arc<BaseProducer<Reports>>, dropped: Arc<AtomicBool>) -> KafkaResult<()> {
    let reports = move || {
        while !dropped.load(Ordering::Relaxed) {
            kafka.poll(LISTEN);
        }
    };
    let thread = std::thread::Builder::new().name("kafka-reports".to_owned());
    match thread.spawn(reports) {
        Ok(_) => Ok(()),
        Err(error) => Err(KafkaError::ClientCreation(format!(
            "no thread for delivery reports: {error}"
        ))),
    }
}

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generation")
            .field("number", &self.number)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

/// Why a record was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no room: try again.
    #[error("the producer's queue is full")]
    Full,
    /// This producer has failed: use the next one.
    #[error("the producer has failed")]
    Discarded,
    /// The record itself: too large, mostly.
    #[error("the record cannot be sent")]
    Unsendable(#[source] KafkaError),
}

impl Generation {
    fn new(settings: &Settings, number: u64, status: Arc<Status>) -> KafkaResult<Self> {
        let health = Arc::new(Health {
            failed: AtomicBool::new(false),
            failure: Notify::new(),
            status,
        });
        let reports = Reports(Arc::clone(&health));
        let kafka: Arc<BaseProducer<_>> = Arc::new(settings.config().create_with_context(reports)?);
        let dropped = Arc::new(AtomicBool::new(false));
        listen(Arc::clone(&kafka), Arc::clone(&dropped))?;
        Ok(Self {
            number,
            health,
            kafka,
            dropped,
        })
    }

    /// Counts the producers of this process.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Whether it has failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.health.failed.load(Ordering::Acquire)
    }

    /// Hands one record over, to be counted by `flight`. Never waits.
    ///
    /// # Errors
    /// It was not taken; nothing that was handed over before is affected.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that produces to Kafka: in order, never dropping a record of which a later one is sent"
    )]
    pub fn send(
        &self,
        topic: &str,
        key: &str,
        headers: OwnedHeaders,
        body: &str,
        flight: &Arc<Flight>,
    ) -> Result<(), Refusal> {
        if self.has_failed() {
            return Err(Refusal::Discarded);
        }
        flight.add();
        let record = BaseRecord::with_opaque_to(topic, Arc::clone(flight))
            .key(key)
            .payload(body)
            .headers(headers);
        self.kafka.send(record).map_err(|(error, _)| {
            flight.settle();
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => Refusal::Full,
                Some(RDKafkaErrorCode::Fatal) => {
                    self.health.fail(&error.to_string());
                    Refusal::Discarded
                }
                _ => Refusal::Unsendable(error),
            }
        })
    }

    /// How many messages are under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.kafka.in_flight_count()).unwrap_or(0)
    }

    /// Gives up what is under way.
    fn purge(&self) {
        self.kafka.purge(PurgeConfig::default().queue().inflight());
    }
}

/// Whether a generation still works.
#[derive(Debug)]
struct Health {
    failed: AtomicBool,
    failure: Notify,
    status: Arc<Status>,
}

impl Health {
    fn fail(&self, reason: &str) {
        if !self.failed.swap(true, Ordering::AcqRel) {
            tracing::warn!(
                reason,
                "the producer has failed: it is replaced, and what it had not delivered is sent again"
            );
            *self
                .status
                .reason
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
            self.failure.notify_one();
        }
    }
}

/// What librdkafka tells.
#[derive(Debug)]
struct Reports(Arc<Health>);

impl ClientContext for Reports {
    /// librdkafka repeats itself while a broker is away; [`Status`] tells it once.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(?level, facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            Some(RDKafkaErrorCode::Fatal) => self.0.fail(reason),
            Some(RDKafkaErrorCode::AllBrokersDown) => self.0.status.down(reason),
            _ => tracing::debug!(%error, reason, "librdkafka"),
        }
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Arc<Flight>;

    fn delivery(&self, result: &DeliveryResult<'_>, flight: Arc<Flight>) {
        match result {
            Ok(_) => {
                self.0.status.up();
                flight.settle();
            }
            Err((error, _)) => {
                // First the generation, then the flight: who sees the flight fail must find no generation to go on with.
                self.0.fail(&error.to_string());
                flight.fail();
            }
        }
    }
}
