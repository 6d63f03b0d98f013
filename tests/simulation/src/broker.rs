//! Topics, partitioned by key: logs that only grow. The order inside of a partition is all that it promises.

use std::collections::BTreeMap;

use contracts::Topic;
use messaging::{Message, Outgoing};
use uuid::Uuid;

/// Partitions of each topic.
const PARTITIONS: usize = 3;

/// One partition of one topic.
pub(crate) type Place = (Topic, usize);

/// All logs.
#[derive(Debug, Default)]
pub(crate) struct Broker {
    logs: BTreeMap<(&'static str, usize), Vec<Message>>,
}

/// The partition of a key.
fn partition(key: Uuid) -> usize {
    let (_, tail) = key.as_u64_pair();
    usize::try_from(tail >> 32).unwrap_or_default() % PARTITIONS
}

impl Broker {
    /// Appends a message; gives where. `None`: there is no such topic.
    pub(crate) fn append(&mut self, source: &str, outgoing: &Outgoing) -> Option<Place> {
        let topic: Topic = outgoing.topic.parse().ok()?;
        let place = (topic, partition(outgoing.key));
        let log = self.logs.entry((topic.as_str(), place.1)).or_default();
        log.push(Message {
            id: outgoing.id,
            kind: outgoing.kind.clone(),
            source: source.to_owned(),
            key: outgoing.key,
            time: outgoing.time,
            sequence: outgoing.sequence,
            causation: outgoing.causation,
            trace: None,
            topic: outgoing.topic.clone(),
            partition: i32::try_from(place.1).unwrap_or_default(),
            offset: i64::try_from(log.len()).unwrap_or_default(),
            body: outgoing.body.clone(),
        });
        Some(place)
    }

    /// What is behind a position, at most `limit` of it.
    pub(crate) fn read(&self, (topic, partition): Place, from: usize, limit: usize) -> &[Message] {
        let log = self.logs.get(&(topic.as_str(), partition));
        let rest = log.and_then(|log| log.get(from..)).unwrap_or_default();
        rest.get(..limit).unwrap_or(rest)
    }

    /// Everything that was ever said, topic by topic.
    pub(crate) fn everything(&self) -> impl Iterator<Item = &Message> {
        self.logs.values().flatten()
    }
}
