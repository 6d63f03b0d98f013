//! What each action does. `None`: it is not possible now.

use std::{collections::HashSet, mem::take};

use super::{
    Flaw, Lease, leaf_of,
    world::{Breach, Id, Owner, World, Writer},
};
use crate::{cursor::Cursor, ranges::Ranges};

/// The writers. A transaction takes its id under the lock of its aggregate, which it holds until it ends.
impl Lease {
    pub(super) fn begin(&self, world: &mut World, writer: usize) -> Option<()> {
        let key = self.keys[writer];
        let of_key = |other: &usize| self.keys[*other] == key;
        let mut earlier = (0..writer).filter(of_key);
        // Writers of one key are alike: let them begin in turn.
        if earlier.any(|other| world.writers[other] == Writer::Idle) {
            return None;
        }
        let mut all = (0..self.keys.len()).filter(of_key);
        let locked = all.any(|other| matches!(world.writers[other], Writer::Open(_)));
        if locked && !self.is(Flaw::IdBeforeTheLock) {
            return None;
        }
        world.writers[writer] = Writer::Open(world.next_id);
        world.next_id += 1;
        Some(())
    }

    pub(super) fn commit(&self, world: &mut World, writer: usize) -> Option<()> {
        let Writer::Open(id) = world.writers[writer] else {
            return None;
        };
        world.writers[writer] = Writer::Committed(id);
        world.committed[self.keys[writer]].push(id);
        Some(())
    }

    pub(super) fn roll_back(&self, world: &mut World, writer: usize) -> Option<()> {
        let Writer::Open(id) = world.writers[writer] else {
            return None;
        };
        world.writers[writer] = Writer::RolledBack(id);
        Some(())
    }
}

/// The lease, and what comes of it. Compare `message-relay/src/lease.rs`.
impl Lease {
    pub(super) fn acquire(&self, world: &mut World, relay: usize) -> Option<()> {
        // Before anything has happened one process is like the other.
        if world.shard.epoch == 0 && relay > 0 {
            return None;
        }
        if world.is_owned() {
            world.mishaps = world.mishaps.checked_sub(1)?;
        }
        if world.shard.epoch == 0 || !self.is(Flaw::NoNewEpoch) {
            world.shard.epoch += 1;
        }
        let owner = Owner::new(world.shard.epoch, world.shard.cursor.clone());
        world.relays[relay].owner = Some(owner);
        Some(())
    }

    /// The epoch is compared, the expiry is not.
    pub(super) fn save(&self, world: &mut World, relay: usize) -> Option<()> {
        let owner = world.relays[relay].owner.as_ref()?;
        let former = owner.epoch != world.shard.epoch;
        if former && !self.is(Flaw::NoEpochInTheUpdate) {
            world.relays[relay].owner = None;
            return Some(());
        }
        let cursor = match self.is(Flaw::SavesWhatWasHanded) {
            true => owner.handed.clone(),
            false => owner.landed.clone(),
        };
        let passed = |id: &Id| !world.shard.cursor.misses(*id);
        let mut forgotten = (1..world.next_id).filter(passed);
        if forgotten.any(|id| cursor.misses(id)) {
            world.breaches.insert(Breach::WentBack);
        }
        if former && cursor != world.shard.cursor {
            world.breaches.insert(Breach::MovedByAFormerOwner);
        }
        world.shard.cursor = cursor;
        Some(())
    }

    pub(super) fn kill(&self, world: &mut World, relay: usize) -> Option<()> {
        self.discard_the_producer(world, relay)?;
        world.relays[relay].owner = None;
        Some(())
    }

    pub(super) fn disconnect(&self, world: &mut World, relay: usize) -> Option<()> {
        world.mishaps = world.mishaps.checked_sub(1)?;
        world.relays[relay].owner.take().map(drop)
    }
}

/// What an owner does. Compare `message-relay/src/owner.rs`.
impl Lease {
    /// One statement, so one snapshot. Buries the holes that it proves dead.
    pub(super) fn read(&self, world: &mut World, relay: usize, limit: usize) -> Option<()> {
        let visible = world.visible();
        let owner = world.relays[relay].owner.as_mut()?;
        let new = visible.into_iter().filter(|id| owner.handed.misses(*id));
        let mut rows: Vec<Id> = new.collect();
        let complete = rows.len() < limit;
        rows.truncate(limit);
        let covered = match rows.last() {
            Some(last) if !complete => *last,
            _ => Id::MAX,
        };
        if owner.inquest.is_ripe() {
            let mut seen = owner.handed.clone();
            rows.iter().for_each(|id| seen.see(*id));
            let dead = owner.inquest.conclude(&seen, covered);
            owner.changed |= !dead.is_empty();
            owner.handed.bury(&dead);
        }
        owner.waiting = rows;
        Some(())
    }

    /// What is handed over together is one flight; so is what was buried without a row.
    pub(super) fn hand_over(&self, world: &mut World, relay: usize, rows: usize) -> Option<()> {
        let relay = &mut world.relays[relay];
        let owner = relay.owner.as_mut()?;
        if rows == 0 && !owner.changed {
            return None;
        }
        let flight: Vec<Id> = owner.waiting.drain(..rows).collect();
        for id in &flight {
            owner.handed.see(*id);
            relay.queue.push((*id, owner.epoch));
        }
        if self.is(Flaw::NoHoles) {
            owner.handed = Cursor::new(owner.handed.position(), &Ranges::default());
        }
        owner.changed = false;
        owner.flights.push((flight, owner.handed.clone()));
        Some(())
    }

    /// Flights land in the order in which they left.
    pub(super) fn land(&self, world: &mut World, relay: usize) -> Option<()> {
        let relay = &mut world.relays[relay];
        let owner = relay.owner.as_mut()?;
        let (rows, _) = owner.flights.first()?;
        let under_way = |id: &Id| relay.queue.contains(&(*id, owner.epoch));
        if rows.iter().any(under_way) {
            return None;
        }
        owner.landed = owner.flights.remove(0).1;
        Some(())
    }

    pub(super) fn hear(&self, world: &mut World, relay: usize) -> Option<()> {
        let name = |(number, writer): (usize, &Writer)| {
            matches!(writer, Writer::Open(_)).then(|| number.to_string())
        };
        let writers = world.writers.iter().enumerate();
        let holding: HashSet<String> = writers.filter_map(name).collect();
        let owner = world.relays[relay].owner.as_mut()?;
        if owner.handed.holes().is_empty() {
            return None;
        }
        owner.inquest.hear(owner.handed.holes(), &holding);
        Some(())
    }

    pub(super) fn expire(&self, world: &mut World, relay: usize) -> Option<()> {
        let owner = world.relays[relay].owner.as_mut()?;
        if owner.handed.holes().is_empty() {
            return None;
        }
        let old = owner.handed.holes().clone();
        owner.handed.bury(&old);
        owner.changed = true;
        Some(())
    }

    /// All in one transaction, which keeps writers of this leaf out: the epoch, and whether all that is in it is published.
    pub(super) fn truncate(&self, world: &mut World, relay: usize, leaf: Id) -> Option<()> {
        let owner = world.relays[relay].owner.as_ref()?;
        if owner.epoch != world.shard.epoch {
            return None;
        }
        let passed = match self.is(Flaw::TruncatesWhatWasRead) {
            true => &owner.handed,
            false => &world.shard.cursor,
        };
        let in_leaf = |id: &Id| leaf_of(*id) == leaf;
        let mut rows: Vec<Id> = world.visible().into_iter().filter(in_leaf).collect();
        if rows.is_empty() || rows.iter().any(|id| passed.misses(*id)) {
            return None;
        }
        if self.is(Flaw::TruncatesWithoutALock) {
            rows.extend(world.open().filter(in_leaf));
        }
        world.truncated.extend(rows);
        Some(())
    }
}

/// Kafka, and the producers.
impl Lease {
    pub(super) fn append(&self, world: &mut World, relay: usize, place: usize) -> Option<()> {
        let queue = world.relays[relay].queue.iter();
        let queue: Vec<Id> = queue.map(|(id, _)| *id).collect();
        if self.overtakes(world, &queue, place) && !self.is(Flaw::Reorders) {
            return None;
        }
        world.relays[relay].queue.remove(place);
        self.appear(world, queue[place])
    }

    pub(super) fn append_late(&self, world: &mut World, remains: usize, place: usize) -> Option<()> {
        let queue = world.remains[remains].clone();
        if self.overtakes(world, &queue, place) && !self.is(Flaw::LeavesGaps) {
            return None;
        }
        world.remains[remains].remove(place);
        self.appear(world, queue[place])
    }

    pub(super) fn forget(&self, world: &mut World, remains: usize) -> Option<()> {
        world.remains.remove(remains);
        Some(())
    }

    /// The owner notices as soon as it does anything.
    pub(super) fn fail(&self, world: &mut World, relay: usize) -> Option<()> {
        self.discard_the_producer(world, relay)?;
        let Some(owner) = &mut world.relays[relay].owner else {
            return Some(());
        };
        owner.flights.clear();
        if self.is(Flaw::GoesOnAfterAFailure) {
            return Some(());
        }
        owner.waiting.clear();
        owner.inquest.clear();
        owner.handed.clone_from(&owner.landed);
        Some(())
    }

    /// What it was handed may be under way, and be appended later, or not.
    fn discard_the_producer(&self, world: &mut World, relay: usize) -> Option<()> {
        world.mishaps = world.mishaps.checked_sub(1)?;
        let queue = take(&mut world.relays[relay].queue);
        world.remains.push(queue.into_iter().map(|(id, _)| id).collect());
        Some(())
    }

    /// Whether an earlier row of the same key is still in the queue: a key is a partition here.
    fn overtakes(&self, world: &World, queue: &[Id], place: usize) -> bool {
        let key = self.key_of(world, queue[place]);
        let mut before = queue[..place].iter();
        before.any(|id| self.key_of(world, *id) == key)
    }

    fn appear(&self, world: &mut World, id: Id) -> Option<()> {
        let key = self.key_of(world, id)?;
        let log = &mut world.log[key];
        if !log.contains(&id) {
            log.push(id);
        }
        Some(())
    }

    fn key_of(&self, world: &World, id: Id) -> Option<usize> {
        let mut writers = world.writers.iter().zip(&self.keys);
        let found = writers.find(|(writer, _)| **writer == Writer::Committed(id));
        found.map(|(_, key)| *key)
    }
}
