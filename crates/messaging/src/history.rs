//! Reads topics from their beginning, beside all groups: what a read model is rebuilt from, and an audit made of.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    metadata::{MetadataPartition, MetadataTopic},
    types::RDKafkaErrorCode,
};

use crate::{Incoming, Raw, consumer::Settings};

/// How long the broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before a broker is asked again.
const PACE: Duration = Duration::from_millis(100);
/// Records at a time, for those who read to the ends.
const BATCH: usize = 1_000;

/// An offset in each partition of each topic, by the topic's name without prefix.
pub type Offsets = BTreeMap<(String, i32), i64>;

/// Some topics, read from their beginning. It joins no group and stores no offset, so it disturbs nobody who consumes them.
pub struct History {
    config: ClientConfig,
    client: Arc<BaseConsumer>,
    topics: Arc<[String]>,
    prefix: Arc<str>,
    next: Offsets,
    /// The client is not where `next` says: it has not begun, a read has failed, or was not waited for.
    adrift: bool,
    /// The client has been given partitions. It is given none again: librdkafka 2.12 may abort the process when partitions are
    /// taken from it before it has begun with them (ISSUE.md).
    used: bool,
}

/// Why topics cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kafka's client failed, or the broker does not answer.
    #[error("Kafka's topics cannot be read")]
    Kafka(#[from] KafkaError),
    /// A topic is missing.
    #[error("Kafka has no topic {0}")]
    NoTopic(String),
    /// Records are there, and do not come.
    #[error("Kafka went silent")]
    Silent,
    /// What was to be read is not there any more.
    #[error("records of Kafka's topics are gone that were not read")]
    Gone,
    /// The process is ending.
    #[error("the process is ending")]
    Ending,
}

impl History {
    /// Begins at the beginning of the topics of `settings`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn open(settings: &Settings) -> Result<Self, Error> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &settings.brokers)
            .set("client.id", &settings.instance_id)
            // The client wants a group's name, also when it never joins one.
            .set("group.id", &settings.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // What is gone must not be skipped as if it had been read.
            .set("auto.offset.reset", "error")
            // A partition may end with what is no record: the marks of transactions.
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "10")
            .set("fetch.queue.backoff.ms", "10")
            .set("queued.max.messages.kbytes", "4096");
        let mut history = Self {
            client: Arc::new(config.create()?),
            config,
            topics: settings.topics.clone().into(),
            prefix: settings.topic_prefix.as_str().into(),
            next: Offsets::new(),
            adrift: true,
            used: false,
        };
        history.next = history.watermarks(|(first, _)| first).await?;
        Ok(history)
    }

    /// The first partition whose first records are gone, where there is one: what is left is not all that was ever said.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn beheaded(&self) -> Result<Option<(String, i32)>, Error> {
        let first = self.watermarks(|(first, _)| first).await?;
        let gone = first.into_iter().find(|(_, first)| *first > 0);
        Ok(gone.map(|(place, _)| place))
    }

    /// Where it has come to.
    #[must_use]
    pub const fn place(&self) -> &Offsets {
        &self.next
    }

    /// Goes on from another place, with the next read: from one where it has been, when what was read there was lost. Partitions
    /// that it does not name are left out.
    pub fn go_to(&mut self, place: Offsets) {
        self.next = place;
        self.adrift = true;
    }

    /// Lets a client begin where `next` says. One that was at another place is left to itself: a read that nobody waited for
    /// may still be at it.
    fn begin(&mut self) -> Result<(), Error> {
        if self.used {
            let old = std::mem::replace(&mut self.client, Arc::new(self.config.create()?));
            // It may take its time to end.
            drop(tokio::task::spawn_blocking(move || drop(old)));
        }
        self.used = true;
        let mut list = TopicPartitionList::new();
        for ((topic, partition), offset) in &self.next {
            let full = format!("{}{topic}", self.prefix);
            list.add_partition_offset(&full, *partition, Offset::Offset(*offset))?;
        }
        self.client.assign(&list)?;
        Ok(())
    }

    /// Where the partitions end now.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn ends(&self) -> Result<Offsets, Error> {
        self.watermarks(|(_, end)| end).await
    }

    /// The first offsets that Kafka has had since `moment`; the ends, where it has had nothing since.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn since(&self, moment: DateTime<Utc>) -> Result<Offsets, Error> {
        let mut starts = self.ends().await?;
        let (client, prefix) = (self.client.clone(), self.prefix.clone());
        apart(move || {
            let moment = Offset::Offset(moment.timestamp_millis());
            let mut wanted = TopicPartitionList::new();
            for (topic, partition) in starts.keys() {
                let full = format!("{prefix}{topic}");
                wanted.add_partition_offset(&full, *partition, moment)?;
            }
            let found = client.offsets_for_times(wanted, PATIENCE)?;
            for ((topic, partition), start) in &mut starts {
                let full = format!("{prefix}{topic}");
                let found = found.find_partition(&full, *partition);
                if let Some(Offset::Offset(offset)) = found.map(|found| found.offset()) {
                    *start = offset;
                }
            }
            Ok(starts)
        })
        .await?
    }

    /// How many records, at most, are between what was read and `ends`.
    #[must_use]
    pub fn behind(&self, ends: &Offsets) -> i64 {
        behind(&self.next, ends)
    }

    /// Reads on to `ends` and gives each record before them to `each`, those of a partition in their order. What came along
    /// from behind `ends` is left out: whoever wants that has to [go](Self::go_to) there.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read_to(
        &mut self,
        ends: &Offsets,
        mut each: impl FnMut(Incoming),
    ) -> Result<(), Error> {
        while self.behind(ends) > 0 {
            for record in self.read(ends, BATCH).await? {
                let raw = record.raw();
                let end = ends.get(&(raw.topic.clone(), raw.partition));
                if end.is_some_and(|end| raw.offset < *end) {
                    each(record);
                }
            }
        }
        Ok(())
    }

    /// Reads on, `limit` records at most; none when everything before `ends` was read. What is behind `ends` may come
    /// along. Where it fails, or is not waited for, it has not moved.
    ///
    /// What no consumer may see is passed over: the marks of transactions, and what was written in one that was aborted.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read(&mut self, ends: &Offsets, limit: usize) -> Result<Vec<Incoming>, Error> {
        let mut left = self.behind(ends);
        if left == 0 {
            return Ok(Vec::new());
        }
        if self.adrift {
            self.begin()?;
        }
        self.adrift = true;
        let (client, prefix) = (self.client.clone(), self.prefix.clone());
        let (ends, mut next) = (ends.clone(), self.next.clone());
        let (next, read, failed) = apart(move || {
            let mut read = Vec::with_capacity(limit.min(BATCH));
            while left > 0 && read.len() < limit {
                let error = match client.poll(PATIENCE) {
                    Some(Ok(record)) => {
                        let raw = Raw::copy(&record, &prefix);
                        let place = (raw.topic.clone(), raw.partition);
                        let end = ends.get(&place).copied().unwrap_or_default();
                        let reached = next.insert(place, raw.offset + 1).unwrap_or_default();
                        left -= (end.min(raw.offset + 1) - end.min(reached)).max(0);
                        read.push(Incoming::from(raw));
                        continue;
                    }
                    Some(Err(KafkaError::PartitionEOF(_))) => {
                        match pass_over(&client, &prefix, &mut next) {
                            Ok(()) => left = behind(&next, &ends),
                            Err(error) => return (next, read, Some(error.into())),
                        }
                        continue;
                    }
                    Some(Err(error)) if is_gone(&error) => Error::Gone,
                    Some(Err(error)) => error.into(),
                    None => Error::Silent,
                };
                return (next, read, Some(error));
            }
            (next, read, None)
        })
        .await?;
        match failed {
            Some(error) if read.is_empty() => Err(error),
            // What was read counts; whoever reads on meets the error again, if it stays.
            failed => {
                self.next = next;
                self.adrift = failed.is_some();
                Ok(read)
            }
        }
    }

    async fn watermarks(&self, which: fn((i64, i64)) -> i64) -> Result<Offsets, Error> {
        let (client, topics, prefix) = (
            self.client.clone(),
            self.topics.clone(),
            self.prefix.clone(),
        );
        apart(move || {
            let mut found = Offsets::new();
            for topic in topics.iter() {
                let full = format!("{prefix}{topic}");
                let metadata = client.fetch_metadata(Some(&full), PATIENCE)?;
                let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
                let partitions: Vec<i32> = partitions.map(MetadataPartition::id).collect();
                if partitions.is_empty() {
                    return Err(Error::NoTopic(full));
                }
                for partition in partitions {
                    let marks = watermarks(&client, &full, partition)?;
                    found.insert((topic.clone(), partition), which(marks));
                }
            }
            Ok(found)
        })
        .await?
    }
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History")
            .field("topics", &self.topics)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

fn behind(next: &Offsets, ends: &Offsets) -> i64 {
    let left = ends.iter().map(|(place, end)| {
        let reached = next.get(place).copied().unwrap_or_default();
        (end - reached).max(0)
    });
    left.sum()
}

/// Moves on to where the client stands. At the end of a partition that is behind everything that it keeps to itself.
///
/// Only to be asked when the client has told of an end: until it has begun anew, it tells of the place it was at before.
fn pass_over(client: &BaseConsumer, prefix: &str, next: &mut Offsets) -> Result<(), KafkaError> {
    for stands in client.position()?.elements() {
        let topic = stands.topic();
        let topic = topic.strip_prefix(prefix).unwrap_or(topic).to_owned();
        if let Offset::Offset(offset) = stands.offset()
            && let Some(reached) = next.get_mut(&(topic, stands.partition()))
        {
            *reached = offset.max(*reached);
        }
    }
    Ok(())
}

/// Where a partition begins and ends. One that is moving to another broker, or is new, is waited for.
fn watermarks(
    client: &BaseConsumer,
    topic: &str,
    partition: i32,
) -> Result<(i64, i64), KafkaError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match client.fetch_watermarks(topic, partition, PATIENCE) {
            Err(error) if has_no_leader(&error) && Instant::now() < deadline => {
                std::thread::sleep(PACE);
            }
            answer => return answer,
        }
    }
}

fn has_no_leader(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::NotLeaderForPartition | RDKafkaErrorCode::LeaderNotAvailable)
    )
}

fn is_gone(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset)
}

/// The client's calls wait, so they do it in a thread of their own.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let task = tokio::task::spawn_blocking(work);
    task.await.map_err(|_| Error::Ending)
}
