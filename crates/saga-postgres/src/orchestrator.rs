//! Gives replies to the interpreter and publishes what follows.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp, TraceParent, UnitOfWork};
use saga::{Heard, Input, Instance, Moment, Outcome, Record, Verdict};
use sea_orm::{DatabaseTransaction, DbErr};
use uuid::Uuid;

use crate::{
    Counts, Data, Definitions, World,
    publish::published,
    row::Saga,
    save::{self, Row},
    world::Loaded,
};

/// Runs sagas whose data is `D`. Cheap to clone.
pub struct Orchestrator<D> {
    definitions: Arc<Definitions<D>>,
    is_known: fn(topic: &str, kind: &str) -> bool,
}

/// A saga that has begun and is not stored yet.
#[derive(Debug)]
pub struct Beginning<D> {
    data: D,
    saga: Saga,
    records: Vec<Record>,
    published: Vec<Outgoing>,
    now: DateTime<Utc>,
}

impl<D: Data> Beginning<D> {
    /// The data, as it will be when it is stored.
    pub const fn data(&self) -> &D {
        &self.data
    }

    /// The saga as a world of its own, with what it says first: for simulations, which store nothing.
    #[must_use]
    pub fn in_memory(self) -> (World<D>, Vec<Outgoing>) {
        let loaded = Loaded {
            saga: self.saga,
            data: self.data,
            data_changed: true,
            records: self.records,
        };
        let id = loaded.data.key();
        (World::of(id, loaded), self.published)
    }

    /// Stores sagas with their data and publishes their first commands, all in the transaction of `work`.
    ///
    /// # Errors
    /// The database's.
    pub async fn store(
        work: &mut UnitOfWork,
        begun: impl IntoIterator<Item = &Self>,
    ) -> Result<(), DbErr> {
        let begun: Vec<&Self> = begun.into_iter().collect();
        let Some(now) = begun.iter().map(|one| one.now).max() else {
            return Ok(());
        };
        let rows: Vec<Row<'_>> = begun
            .iter()
            .map(|one| Row {
                id: one.data.key(),
                saga: &one.saga,
                records: &one.records,
            })
            .collect();
        let data: Vec<&D> = begun.iter().map(|one| &one.data).collect();
        save::insert(work.db(), &rows, &data, now).await?;
        work.publish_all(begun.iter().flat_map(|one| one.published.iter().cloned()));
        Ok(())
    }
}

/// What became of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given<D> {
    /// What it was to the saga.
    pub verdict: Verdict,
    /// The step at which the saga stands now.
    pub step: String,
    /// The data as it is now.
    pub data: D,
}

/// Why an input could not be given to a saga. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum GiveError {
    /// The saga cannot do that.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The database's error.
    #[error("the saga cannot be changed")]
    Database(#[from] DbErr),
}

impl<D> Clone for Orchestrator<D> {
    fn clone(&self) -> Self {
        Self {
            definitions: self.definitions.clone(),
            is_known: self.is_known,
        }
    }
}

impl<D: Data> Orchestrator<D> {
    /// Runs `definitions`. `is_known` says which kinds of message the contract has on which topic, whether a saga listens to
    /// them or not.
    pub fn new(definitions: Definitions<D>, is_known: fn(&str, &str) -> bool) -> Self {
        Self {
            definitions: Arc::new(definitions),
            is_known,
        }
    }

    /// The definitions that it runs.
    #[must_use]
    pub fn definitions(&self) -> &Definitions<D> {
        &self.definitions
    }

    /// Begins a saga, without I/O: what it is then can be told before it is stored.
    ///
    /// # Errors
    /// The first step cannot be done with this data.
    pub fn begin(
        &self,
        mut data: D,
        trace: Option<TraceParent>,
        stamp: &mut Stamp,
    ) -> Result<Beginning<D>, saga::Fault> {
        let (id, now) = (data.key(), stamp.now);
        let definition = self.definitions.current();
        let (instance, outcome) =
            decided(stamp, |moment| saga::start(definition, &mut data, moment))?;
        let mut saga = Saga {
            instance,
            command: None,
        };
        let published = published(id, &mut saga, outcome.effects, now, trace);
        Ok(Beginning {
            data,
            saga,
            records: outcome.records,
            published,
            now,
        })
    }

    /// Gives an input that is no message to the saga `id`, in the transaction of `work`: somebody wants it to be
    /// cancelled, or an operator steps in. What follows is part of `trace`. `None`: there is no such saga.
    ///
    /// # Errors
    /// See [`GiveError`].
    pub async fn give(
        &self,
        work: &mut UnitOfWork,
        id: Uuid,
        input: Input<'_>,
        trace: Option<TraceParent>,
        stamp: &mut Stamp,
    ) -> Result<Option<Given<D>>, GiveError> {
        let mut world = World::load(work.db(), [id]).await?;
        let Some((verdict, published)) = self.decide_on(&mut world, id, input, trace, stamp)?
        else {
            return Ok(None);
        };
        work.publish_all(published);
        let given = world.loaded.get(&id).map(|loaded| Given {
            verdict,
            step: loaded.saga.instance.step.clone(),
            data: loaded.data.clone(),
        });
        self.save(work.db(), world).await?.publish();
        Ok(given)
    }

    /// Lets the saga `id` decide about `input`, purely: changes `world`, and gives what the input was to the saga and what
    /// has to be published. `None`: there is no such saga in `world`.
    ///
    /// # Errors
    /// The saga cannot do that; nothing has changed then.
    pub fn decide_on(
        &self,
        world: &mut World<D>,
        id: Uuid,
        input: Input<'_>,
        trace: Option<TraceParent>,
        stamp: &mut Stamp,
    ) -> Result<Option<(Verdict, Vec<Outgoing>)>, Fault> {
        let Some(loaded) = world.loaded.get_mut(&id) else {
            return Ok(None);
        };
        let outcome = self.apply(loaded, input, stamp)?;
        let verdict = outcome.verdict;
        let published = world.record(id, outcome, stamp.now, trace);
        Ok(Some((verdict, published)))
    }

    fn apply(
        &self,
        loaded: &mut Loaded<D>,
        input: Input<'_>,
        stamp: &mut Stamp,
    ) -> Result<Outcome, Fault> {
        let instance = &mut loaded.saga.instance;
        let definition = self
            .definitions
            .of(instance)
            .ok_or_else(|| unknown(instance))?;
        decided(stamp, |moment| {
            saga::apply(definition, instance, &mut loaded.data, input, moment)
        })
        .map_err(|fault| Fault::new(fault.to_string()))
    }
}

impl<D: Data> Handler for Orchestrator<D> {
    type World = World<D>;
    type Effects = Counts;

    /// Everything that the contract knows is given to its saga, also what none of these definitions listens to: the saga
    /// may have begun with another one, and then the message must wait for it, not be skipped.
    fn interest(&self, topic: &str, kind: &str) -> Interest {
        match (self.is_known)(topic, kind) {
            true => Interest::Handle,
            false => Interest::Unknown,
        }
    }

    async fn load(
        &self,
        db: &DatabaseTransaction,
        messages: &[Message],
    ) -> Result<World<D>, DbErr> {
        World::load(db, messages.iter().map(|message| message.key)).await
    }

    fn decide(
        &self,
        world: &mut World<D>,
        message: &Message,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        let Some(loaded) = world.loaded.get_mut(&message.key) else {
            tracing::warn!(saga = %message.key, message = %message.id, kind = message.kind, "no such saga here");
            world.counts.orphans += 1;
            return Ok(Vec::new());
        };
        let input = Input::Heard(Heard {
            id: message.id,
            answers: message.causation,
            kind: &message.kind,
            body: &message.body,
        });
        let outcome = self.apply(loaded, input, stamp)?;
        Ok(world.record(message.key, outcome, stamp.now, message.trace))
    }

    async fn save(&self, db: &DatabaseTransaction, world: World<D>) -> Result<Counts, DbErr> {
        let touched = || {
            world
                .loaded
                .iter()
                .filter(|(_, loaded)| !loaded.records.is_empty())
        };
        let rows: Vec<Row<'_>> = touched()
            .map(|(id, loaded)| Row {
                id: *id,
                saga: &loaded.saga,
                records: &loaded.records,
            })
            .collect();
        let changed = touched().filter(|(_, loaded)| loaded.data_changed);
        let data: Vec<&D> = changed.map(|(_, loaded)| &loaded.data).collect();
        if let Some(now) = rows
            .iter()
            .flat_map(|row| row.records)
            .map(|record| record.at)
            .max()
        {
            save::update(db, &rows, &data, now).await?;
        }
        Ok(world.counts)
    }

    fn committed(&self, counts: Counts) {
        counts.publish();
    }
}

/// Lets the interpreter decide at the moment of `stamp`.
fn decided<T>(stamp: &mut Stamp, decide: impl FnOnce(&mut Moment<'_>) -> T) -> T {
    let now = stamp.now;
    decide(&mut Moment {
        now,
        new_id: &mut || stamp.new_id(),
    })
}

fn unknown(instance: &Instance) -> Fault {
    let Instance {
        definition,
        version,
        ..
    } = instance;
    Fault::new(format!(
        "this service has no definition {definition:?} of version {version}; deploy one that has, and replay"
    ))
}
