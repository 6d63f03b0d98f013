//! All there is at one moment: writers, the database, relays with their producers, and what Kafka has.

use std::collections::BTreeSet;

use crate::{cursor::Cursor, inquest::Inquest};

/// A place in the outbox, as the relay counts them.
pub type Id = i64;

/// All there is, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// The transactions of the writers.
    pub writers: Vec<Writer>,
    /// What the sequence gives next.
    pub next_id: Id,
    /// Per key, the rows in the order in which their transactions committed.
    pub committed: Vec<Vec<Id>>,
    /// Rows that were truncated away.
    pub truncated: BTreeSet<Id>,
    /// The shard's row.
    pub shard: Shard,
    /// The processes.
    pub relays: Vec<Relay>,
    /// What discarded producers may still append.
    pub remains: Vec<Vec<Id>>,
    /// Per key, the rows in the order in which they first appeared in Kafka. Nothing that happens depends on where a
    /// row is repeated, so that is not kept.
    pub log: Vec<Vec<Id>>,
    /// How much may still go wrong.
    pub mishaps: u8,
    /// What must not happen in a step, and did.
    pub breaches: BTreeSet<Breach>,
}

/// A transaction of a writer, which writes one row of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Writer {
    /// It has not begun, or waits for the lock of its aggregate.
    Idle,
    /// It has the lock, and took this id.
    Open(Id),
    /// Its row is visible.
    Committed(Id),
    /// Nobody will ever see the row of this id.
    RolledBack(Id),
}

/// The row of `relay.shard`. Who holds the lease until when is not in it: see the README.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Shard {
    /// How often the lease was taken.
    pub epoch: u8,
    /// What was published, as the database knows it.
    pub cursor: Cursor,
}

/// A process, with the producer that it has at the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Relay {
    /// What its producer was handed and Kafka has not got yet, with the epoch under which it was handed over.
    pub queue: Vec<(Id, u8)>,
    /// What it knows as an owner, rightly or not. `None`: it stands by.
    pub owner: Option<Owner>,
}

/// One ownership, as `message-relay/src/owner.rs` has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The epoch of its lease.
    pub epoch: u8,
    /// What was read and handed over.
    pub handed: Cursor,
    /// Whether `handed` has changed since the last flight left.
    pub changed: bool,
    /// Rows that were read and not handed over yet.
    pub waiting: Vec<Id>,
    /// Rows that were handed over together, and the cursor when Kafka has all of them.
    pub flights: Vec<(Vec<Id>, Cursor)>,
    /// Everything up to here is in Kafka.
    pub landed: Cursor,
    /// The holes that are under investigation.
    pub inquest: Inquest,
}

/// What must not happen in a step: it cannot be seen in the states before and after it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breach {
    /// The cursor was moved under an epoch that is over.
    MovedByAFormerOwner,
    /// The cursor forgot something that it had passed.
    WentBack,
}

impl Owner {
    pub(crate) fn new(epoch: u8, cursor: Cursor) -> Self {
        Self {
            epoch,
            handed: cursor.clone(),
            changed: false,
            waiting: Vec::new(),
            flights: Vec::new(),
            landed: cursor,
            inquest: Inquest::default(),
        }
    }
}

impl World {
    pub(crate) fn new(keys: usize, writers: usize, relays: usize, mishaps: u8) -> Self {
        Self {
            writers: vec![Writer::Idle; writers],
            next_id: 1,
            committed: vec![Vec::new(); keys],
            truncated: BTreeSet::new(),
            shard: Shard::default(),
            relays: vec![Relay::default(); relays],
            remains: Vec::new(),
            log: vec![Vec::new(); keys],
            mishaps,
            breaches: BTreeSet::new(),
        }
    }

    /// The rows that a snapshot shows.
    pub fn visible(&self) -> impl Iterator<Item = Id> {
        let rows = self.committed.iter().flatten().copied();
        rows.filter(|id| !self.truncated.contains(id))
    }

    /// Whether a row is in Kafka.
    #[must_use]
    pub fn is_published(&self, id: Id) -> bool {
        self.log.iter().any(|log| log.contains(&id))
    }

    /// The ids whose transactions are open.
    pub fn open(&self) -> impl Iterator<Item = Id> {
        self.writers.iter().filter_map(|writer| match writer {
            Writer::Open(id) => Some(*id),
            _ => None,
        })
    }

    /// Whether some process owns the shard, under the epoch of the database.
    #[must_use]
    pub fn is_owned(&self) -> bool {
        let mut owners = self.relays.iter().filter_map(|relay| relay.owner.as_ref());
        owners.any(|owner| owner.epoch == self.shard.epoch)
    }

    /// Whether a row that Kafka has will be sent to it again.
    #[must_use]
    pub fn repeats(&self) -> bool {
        let queued = self.relays.iter().flat_map(|relay| &relay.queue);
        let queued = queued
            .map(|(id, _)| id)
            .chain(self.remains.iter().flatten());
        queued.into_iter().any(|id| self.is_published(*id))
    }
}
