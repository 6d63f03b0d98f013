//! The relay's lease and cursor: writers that commit out of turn, relays that are paused, replaced and killed, producers
//! that fail, and leaves that are truncated.

mod properties;
mod steps;
mod world;

use stateright::{Model, Property};

pub use world::{Breach, Id, Owner, Relay, Shard, World, Writer};

/// The outbox is a ring of so many leaves, with one id in each before the next one's turn.
const LEAVES: Id = 2;
/// No more rows than this come in one batch.
const MAX_ROWS: usize = 2;

/// What can be wrong, to see that it would be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A writer takes its id before the lock of its aggregate.
    IdBeforeTheLock,
    /// The cursor is a position: what it jumps over is forgotten.
    NoHoles,
    /// A hole is given up because it is old.
    HolesExpire,
    /// The cursor is saved as far as rows were handed over, not as far as Kafka acknowledged them.
    SavesWhatWasHanded,
    /// A change of the cursor does not name its epoch.
    NoEpochInTheUpdate,
    /// Taking a lease that has expired does not begin a new epoch.
    NoNewEpoch,
    /// A producer may send a row before one that was handed to it earlier.
    Reorders,
    /// What a failed producer had sent behind a row that Kafka refused is appended nevertheless.
    LeavesGaps,
    /// After its producer failed, an owner goes on behind what it had handed over.
    GoesOnAfterAFailure,
    /// A leaf is truncated when the process has read it.
    TruncatesWhatWasRead,
    /// A leaf is truncated without a lock that keeps writers out.
    TruncatesWithoutALock,
}

/// The model, and its size.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The key that each writer writes about. Writers of one key begin in turn.
    pub keys: Vec<usize>,
    /// Whether transactions are rolled back, so that holes have to be buried.
    pub rolls_back: bool,
    /// The processes.
    pub relays: usize,
    /// How often a process is killed, loses its database, is replaced although it lives, or has its producer fail.
    pub mishaps: u8,
    /// What is wrong.
    pub flaw: Option<Flaw>,
}

/// What can happen next. Each is one transaction of the database, or one thing that a process or Kafka does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A writer has got the lock of its aggregate, and takes an id.
    Begin(usize),
    /// A writer commits: its row is visible, its locks are let go.
    Commit(usize),
    /// A writer gives up. Its id is lost.
    RollBack(usize),
    /// A process takes the lease. A mishap, if another one lives that holds it: that was paused for too long.
    Acquire(usize),
    /// An owner reads what is new, up to the limit of a batch.
    Read(usize),
    /// An owner hands so many of the rows that it has read to its producer.
    HandOver {
        /// The process.
        relay: usize,
        /// How many.
        rows: usize,
    },
    /// A producer's next row of that key is appended to Kafka's log.
    Append {
        /// The process.
        relay: usize,
        /// Its place in the queue.
        place: usize,
    },
    /// A row that a discarded producer had sent is appended to Kafka's log.
    AppendLate {
        /// Which producer.
        remains: usize,
        /// Its place in the queue.
        place: usize,
    },
    /// Nothing more comes of a discarded producer.
    Forget(usize),
    /// An owner takes note that its first flight was acknowledged.
    Land(usize),
    /// An owner moves the cursor in the database, or finds that it lost the lease.
    Save(usize),
    /// An owner asks who could still fill its holes.
    Hear(usize),
    /// An owner gives up its holes because they are old. Only one that is flawed does.
    Expire(usize),
    /// An owner empties a leaf.
    Truncate {
        /// The process.
        relay: usize,
        /// The leaf.
        leaf: Id,
    },
    /// A process is killed, and started again.
    Kill(usize),
    /// A process loses its connection to the database; its producer lives on.
    Disconnect(usize),
    /// The producer of a process fails: it is discarded, and the owner goes back to what was acknowledged.
    Fail(usize),
}

/// The leaf of an id.
const fn leaf_of(id: Id) -> Id {
    id % LEAVES
}

impl Model for Lease {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let keys = self.keys.iter().max().map_or(0, |highest| highest + 1);
        vec![World::new(keys, self.keys.len(), self.relays, self.mishaps)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (writer, state) in world.writers.iter().enumerate() {
            match state {
                Writer::Idle => actions.push(Action::Begin(writer)),
                Writer::Open(_) => {
                    actions.push(Action::Commit(writer));
                    if self.rolls_back {
                        actions.push(Action::RollBack(writer));
                    }
                }
                Writer::Committed(_) | Writer::RolledBack(_) => {}
            }
        }
        for (relay, process) in world.relays.iter().enumerate() {
            let places = 0..process.queue.len();
            actions.extend(places.map(|place| Action::Append { relay, place }));
            match &process.owner {
                Some(owner) => self.actions_of(relay, owner, world.mishaps, actions),
                None => actions.push(Action::Acquire(relay)),
            }
            if world.mishaps > 0 {
                actions.extend([Action::Kill(relay), Action::Fail(relay)]);
            }
        }
        for (remains, rows) in world.remains.iter().enumerate() {
            let places = 0..rows.len();
            actions.extend(places.map(|place| Action::AppendLate { remains, place }));
            actions.push(Action::Forget(remains));
        }
    }

    fn next_state(&self, now: &World, action: Action) -> Option<World> {
        let mut next = match action {
            Action::Begin(writer) => self.begin(now, writer),
            Action::Commit(writer) => self.commit(now, writer),
            Action::RollBack(writer) => self.roll_back(now, writer),
            Action::Acquire(relay) => self.acquire(now, relay),
            Action::Read(relay) => self.read(now, relay),
            Action::HandOver { relay, rows } => self.hand_over(now, relay, rows),
            Action::Append { relay, place } => self.append(now, relay, place),
            Action::AppendLate { remains, place } => self.append_late(now, remains, place),
            Action::Forget(remains) => self.forget(now, remains),
            Action::Land(relay) => self.land(now, relay),
            Action::Save(relay) => self.save(now, relay),
            Action::Hear(relay) => self.hear(now, relay),
            Action::Expire(relay) => self.expire(now, relay),
            Action::Truncate { relay, leaf } => self.truncate(now, relay, leaf),
            Action::Kill(relay) => self.kill(now, relay),
            Action::Disconnect(relay) => self.disconnect(now, relay),
            Action::Fail(relay) => self.fail(now, relay),
        }?;
        next.remains.retain(|rows| !rows.is_empty());
        next.remains.sort_unstable();
        // What changes nothing but the count of mishaps is no step: so a state without a step is one in which nothing
        // can happen any more.
        let mishaps = std::mem::replace(&mut next.mishaps, now.mishaps);
        if next == *now {
            return None;
        }
        next.mishaps = mishaps;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

impl Lease {
    /// Whether rows of one key may pass those of another.
    fn has_several_keys(&self) -> bool {
        self.keys.iter().any(|key| *key != self.keys[0])
    }

    /// Whether there are more rows than leaves.
    fn goes_round(&self) -> bool {
        self.keys.len() > usize::try_from(LEAVES).unwrap_or(usize::MAX)
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn actions_of(&self, relay: usize, owner: &Owner, mishaps: u8, actions: &mut Vec<Action>) {
        if owner.waiting.is_empty() {
            actions.push(Action::Read(relay));
        }
        let rows = 0..=owner.waiting.len();
        actions.extend(rows.map(|rows| Action::HandOver { relay, rows }));
        actions.extend([Action::Land(relay), Action::Save(relay)]);
        // A hole that is filled in the end needs no inquest.
        if self.rolls_back {
            actions.push(Action::Hear(relay));
        }
        if self.is(Flaw::HolesExpire) {
            actions.push(Action::Expire(relay));
        }
        actions.extend((0..LEAVES).map(|leaf| Action::Truncate { relay, leaf }));
        if mishaps > 0 {
            actions.push(Action::Disconnect(relay));
        }
    }
}
