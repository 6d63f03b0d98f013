//! What each action leads to. `None`: it is not possible now, or changes nothing.

use std::{collections::HashSet, mem::take};

use super::{
    Flaw, Lease, MAX_ROWS, leaf_of,
    world::{Breach, Id, Owner, World, Writer},
};
use crate::{cursor::Cursor, ranges::Ranges};

/// The writers. A transaction takes its id under the lock of its aggregate, which it holds until it ends.
impl Lease {
    pub(super) fn begin(&self, now: &World, writer: usize) -> Option<World> {
        let key = self.keys[writer];
        let of_key = |other: &usize| self.keys[*other] == key;
        let mut earlier = (0..writer).filter(of_key);
        // Writers of one key are alike: let them begin in turn.
        if earlier.any(|other| now.writers[other] == Writer::Idle) {
            return None;
        }
        let mut all = (0..self.keys.len()).filter(of_key);
        let locked = all.any(|other| matches!(now.writers[other], Writer::Open(_)));
        if locked && !self.is(Flaw::IdBeforeTheLock) {
            return None;
        }
        let mut next = now.clone();
        next.writers[writer] = Writer::Open(now.next_id);
        next.next_id += 1;
        Some(next)
    }

    pub(super) fn commit(&self, now: &World, writer: usize) -> Option<World> {
        let Writer::Open(id) = now.writers[writer] else {
            return None;
        };
        let mut next = now.clone();
        next.writers[writer] = Writer::Committed(id);
        next.committed[self.keys[writer]].push(id);
        Some(next)
    }

    pub(super) fn roll_back(&self, now: &World, writer: usize) -> Option<World> {
        let Writer::Open(id) = now.writers[writer] else {
            return None;
        };
        let mut next = now.clone();
        next.writers[writer] = Writer::RolledBack(id);
        Some(next)
    }
}

/// The lease, and what comes of it. Compare `message-relay/src/lease.rs`.
impl Lease {
    pub(super) fn acquire(&self, now: &World, relay: usize) -> Option<World> {
        // Before anything has happened one process is like the other.
        if now.shard.epoch == 0 && relay > 0 {
            return None;
        }
        let mut next = now.clone();
        if now.is_owned() {
            next.mishaps = now.mishaps.checked_sub(1)?;
        }
        if now.shard.epoch == 0 || !self.is(Flaw::NoNewEpoch) {
            next.shard.epoch += 1;
        }
        let owner = Owner::new(next.shard.epoch, now.shard.cursor.clone());
        next.relays[relay].owner = Some(owner);
        Some(next)
    }

    /// The epoch is compared, the expiry is not.
    pub(super) fn save(&self, now: &World, relay: usize) -> Option<World> {
        let owner = now.relays[relay].owner.as_ref()?;
        let former = owner.epoch != now.shard.epoch;
        if former && !self.is(Flaw::NoEpochInTheUpdate) {
            let mut next = now.clone();
            next.relays[relay].owner = None;
            return Some(next);
        }
        let cursor = match self.is(Flaw::SavesWhatWasHanded) {
            true => &owner.handed,
            false => &owner.landed,
        };
        if *cursor == now.shard.cursor {
            return None;
        }
        let mut next = now.clone();
        next.shard.cursor.clone_from(cursor);
        let mut passed = (1..now.next_id).filter(|id| !now.shard.cursor.misses(*id));
        if passed.any(|id| cursor.misses(id)) {
            next.breaches.insert(Breach::WentBack);
        }
        if former {
            next.breaches.insert(Breach::MovedByAFormerOwner);
        }
        Some(next)
    }

    pub(super) fn kill(&self, now: &World, relay: usize) -> Option<World> {
        let process = &now.relays[relay];
        if process.owner.is_none() && process.queue.is_empty() {
            return None;
        }
        let mut next = discard_the_producer(now, relay)?;
        next.relays[relay].owner = None;
        Some(next)
    }

    pub(super) fn disconnect(&self, now: &World, relay: usize) -> Option<World> {
        let mishaps = now.mishaps.checked_sub(1)?;
        let mut next = now.clone();
        next.mishaps = mishaps;
        next.relays[relay].owner.take()?;
        Some(next)
    }
}

/// What an owner does. Compare `message-relay/src/owner.rs`.
impl Lease {
    /// One statement, so one snapshot. Buries the holes that it proves dead.
    pub(super) fn read(&self, now: &World, relay: usize) -> Option<World> {
        let owner = now.relays[relay].owner.as_ref()?;
        let new = now.visible().filter(|id| owner.handed.misses(*id));
        let mut rows: Vec<Id> = new.collect();
        if !owner.waiting.is_empty() || (rows.is_empty() && !owner.inquest.is_ripe()) {
            return None;
        }
        rows.sort_unstable();
        let complete = rows.len() < MAX_ROWS;
        rows.truncate(MAX_ROWS);
        let covered = match rows.last() {
            Some(last) if !complete => *last,
            _ => Id::MAX,
        };
        let mut next = now.clone();
        let owner = next.relays[relay].owner.as_mut()?;
        if owner.inquest.is_ripe() {
            let mut seen = owner.handed.clone();
            rows.iter().for_each(|id| seen.see(*id));
            let dead = owner.inquest.conclude(&seen, covered);
            owner.changed |= !dead.is_empty();
            owner.handed.bury(&dead);
        }
        owner.waiting = rows;
        Some(next)
    }

    /// What is handed over together is one flight; so is what was buried without a row.
    pub(super) fn hand_over(&self, now: &World, relay: usize, rows: usize) -> Option<World> {
        let owner = now.relays[relay].owner.as_ref()?;
        if rows > owner.waiting.len() || (rows == 0 && !owner.changed) {
            return None;
        }
        let mut next = now.clone();
        let process = &mut next.relays[relay];
        let owner = process.owner.as_mut()?;
        let flight: Vec<Id> = owner.waiting.drain(..rows).collect();
        for id in &flight {
            owner.handed.see(*id);
            process.queue.push((*id, owner.epoch));
        }
        if self.is(Flaw::NoHoles) {
            owner.handed = Cursor::new(owner.handed.position(), &Ranges::default());
        }
        owner.changed = false;
        owner.flights.push((flight, owner.handed.clone()));
        Some(next)
    }

    /// Flights land in the order in which they left.
    pub(super) fn land(&self, now: &World, relay: usize) -> Option<World> {
        let process = &now.relays[relay];
        let owner = process.owner.as_ref()?;
        let (rows, _) = owner.flights.first()?;
        let under_way = |id: &Id| process.queue.contains(&(*id, owner.epoch));
        if rows.iter().any(under_way) {
            return None;
        }
        let mut next = now.clone();
        let owner = next.relays[relay].owner.as_mut()?;
        owner.landed = owner.flights.remove(0).1;
        Some(next)
    }

    pub(super) fn hear(&self, now: &World, relay: usize) -> Option<World> {
        if now.relays[relay].owner.as_ref()?.handed.holes().is_empty() {
            return None;
        }
        let name = |(number, writer): (usize, &Writer)| {
            matches!(writer, Writer::Open(_)).then(|| number.to_string())
        };
        let writers = now.writers.iter().enumerate();
        let holding: HashSet<String> = writers.filter_map(name).collect();
        let mut next = now.clone();
        let owner = next.relays[relay].owner.as_mut()?;
        owner.inquest.hear(owner.handed.holes(), &holding);
        Some(next)
    }

    pub(super) fn expire(&self, now: &World, relay: usize) -> Option<World> {
        let mut next = now.clone();
        let owner = next.relays[relay].owner.as_mut()?;
        let old = owner.handed.holes().clone();
        owner.changed |= !old.is_empty();
        owner.handed.bury(&old);
        Some(next)
    }

    /// All in one transaction, which keeps writers of this leaf out: the epoch, and whether all that is in it is published.
    pub(super) fn truncate(&self, now: &World, relay: usize, leaf: Id) -> Option<World> {
        let owner = now.relays[relay].owner.as_ref()?;
        if owner.epoch != now.shard.epoch {
            return None;
        }
        let passed = match self.is(Flaw::TruncatesWhatWasRead) {
            true => &owner.handed,
            false => &now.shard.cursor,
        };
        let in_leaf = |id: &Id| leaf_of(*id) == leaf;
        let mut rows = now.visible().filter(in_leaf).peekable();
        rows.peek()?;
        if rows.any(|id| passed.misses(id)) {
            return None;
        }
        let mut next = now.clone();
        next.truncated.extend(now.visible().filter(in_leaf));
        if self.is(Flaw::TruncatesWithoutALock) {
            next.truncated.extend(now.open().filter(in_leaf));
        }
        Some(next)
    }
}

/// Kafka, and the producers.
impl Lease {
    pub(super) fn append(&self, now: &World, relay: usize, place: usize) -> Option<World> {
        let queue = now.relays[relay].queue.iter().map(|(id, _)| *id);
        if self.overtakes(now, queue, place) && !self.is(Flaw::Reorders) {
            return None;
        }
        let mut next = now.clone();
        let (id, _) = next.relays[relay].queue.remove(place);
        self.appear(next, id)
    }

    pub(super) fn append_late(&self, now: &World, remains: usize, place: usize) -> Option<World> {
        let queue = now.remains[remains].iter().copied();
        if self.overtakes(now, queue, place) && !self.is(Flaw::LeavesGaps) {
            return None;
        }
        let mut next = now.clone();
        let id = next.remains[remains].remove(place);
        self.appear(next, id)
    }

    pub(super) fn forget(&self, now: &World, remains: usize) -> Option<World> {
        let mut next = now.clone();
        next.remains.remove(remains);
        Some(next)
    }

    /// The owner goes back to what was acknowledged, before it does anything else.
    pub(super) fn fail(&self, now: &World, relay: usize) -> Option<World> {
        let mut next = discard_the_producer(now, relay)?;
        if let Some(owner) = &mut next.relays[relay].owner {
            owner.flights.clear();
            if !self.is(Flaw::GoesOnAfterAFailure) {
                owner.waiting.clear();
                owner.inquest.clear();
                owner.handed.clone_from(&owner.landed);
            }
        }
        Some(next)
    }

    /// Whether an earlier row of the same key is still in the queue: a key is a partition here.
    fn overtakes(
        &self,
        now: &World,
        queue: impl Iterator<Item = Id> + Clone,
        place: usize,
    ) -> bool {
        let key = queue.clone().nth(place).and_then(|id| self.key_of(now, id));
        let mut before = queue.take(place);
        before.any(|id| self.key_of(now, id) == key)
    }

    fn appear(&self, mut next: World, id: Id) -> Option<World> {
        let key = self.key_of(&next, id)?;
        let log = &mut next.log[key];
        if !log.contains(&id) {
            log.push(id);
        }
        Some(next)
    }

    fn key_of(&self, world: &World, id: Id) -> Option<usize> {
        let mut writers = world.writers.iter().zip(&self.keys);
        let found = writers.find(|(writer, _)| **writer == Writer::Committed(id));
        found.map(|(_, key)| *key)
    }
}

/// What it was handed may be under way, and be appended later, or not.
fn discard_the_producer(now: &World, relay: usize) -> Option<World> {
    let mishaps = now.mishaps.checked_sub(1)?;
    let mut next = now.clone();
    next.mishaps = mishaps;
    let queue = take(&mut next.relays[relay].queue);
    if !queue.is_empty() {
        next.remains
            .push(queue.into_iter().map(|(id, _)| id).collect());
    }
    Some(next)
}
