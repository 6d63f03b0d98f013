//! From the topic to the commit: a batch is a transaction.

use std::collections::BTreeSet;

use contracts::{OrderId, OrderState};
use messaging::{Interest, Message, Outgoing};
use saga::{Input, Purpose, State};

use super::{City, Event, Thing};
use crate::{
    broker::Place,
    defect::Defect,
    plan::{Fault, Owner},
};

/// The most messages of one transaction.
const BATCH: u64 = 6;
/// How long somebody who died takes to come back, in milliseconds.
const RESTART: u64 = 400;

/// Whether a service commands or answers; the others only listen.
const fn is_talking(owner: Owner) -> bool {
    !matches!(owner, Owner::Views | Owner::Deliveries)
}

impl City {
    /// A consumer of `owner` polls a partition, handles what it gets in one transaction, and stores the offset.
    pub(super) fn consume(&mut self, owner: Owner, place: Place) -> Result<(), String> {
        let needs = [Thing::Service(owner), Thing::Postgres, Thing::Kafka];
        if let Some(until) = self.away(&needs) {
            self.agenda.at(until, Event::Consume(owner, place));
            return Ok(());
        }
        let mut from = self.position(owner, place);
        if from > 0 && self.dice.chance(self.plan.weather.rewind) {
            from -= usize::try_from(self.dice.within(1..=3))
                .unwrap_or(1)
                .min(from);
        }
        let most = usize::try_from(self.dice.within(1..=BATCH)).unwrap_or(1);
        let batch = self.broker.read(place, from, most).to_vec();
        if batch.is_empty() {
            return Ok(());
        }
        let end = from + batch.len();
        if self.put_off(owner, place, &batch) {
            return Ok(());
        }
        let likely = self.plan.weather.crash_before_commit;
        if self.dies(owner, &batch, likely, Fault::CrashBeforeCommit) {
            self.note(|| format!("{owner:?} dies before it commits"));
            if self.has(Defect::OffsetBeforeCommit) {
                self.store_offset(owner, place, end);
            }
            self.agenda.after(RESTART, Event::Consume(owner, place));
            return Ok(());
        }
        let said = self.handle(owner, &batch)?;
        let heard = self
            .node(owner)
            .heard
            .entry((place.0.as_str(), place.1))
            .or_default();
        *heard = end.max(*heard);
        self.committed(owner, said)?;
        let likely = self.plan.weather.crash_after_commit;
        let dies = self.dies(owner, &batch, likely, Fault::CrashAfterCommit);
        self.after_commit(owner, dies);
        if dies {
            self.note(|| format!("{owner:?} dies after it has committed"));
            self.agenda.after(RESTART, Event::Consume(owner, place));
        } else {
            self.store_offset(owner, place, end);
            self.agenda.after(0, Event::Consume(owner, place));
        }
        Ok(())
    }

    fn position(&mut self, owner: Owner, (topic, partition): Place) -> usize {
        let positions = &self.node(owner).positions;
        positions
            .get(&(topic.as_str(), partition))
            .copied()
            .unwrap_or_default()
    }

    fn store_offset(&mut self, owner: Owner, (topic, partition): Place, offset: usize) {
        self.node(owner)
            .positions
            .insert((topic.as_str(), partition), offset);
    }

    /// Whether a scripted fault keeps the consumer from its batch until later.
    fn put_off(&mut self, owner: Owner, place: Place, batch: &[Message]) -> bool {
        if owner == Owner::Orders || !is_talking(owner) {
            return false;
        }
        for message in batch {
            let policy = self.plan.patience;
            let deadline = policy.patience(1);
            let all = (1..=policy.attempts)
                .map(|attempt| policy.patience(attempt))
                .sum();
            for (fault, patience) in [(Fault::Late, deadline), (Fault::Silent, all)] {
                if self.strikes(message.id, fault) {
                    // Whoever looks for deadlines looks once a second.
                    let wait = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX / 2);
                    let wait = wait + 1_500 * u64::from(policy.attempts);
                    self.plan.outages.push(crate::Outage {
                        thing: Thing::Service(owner),
                        from: self.agenda.now(),
                        until: self.agenda.now().after(wait),
                    });
                    self.agenda.after(wait, Event::Consume(owner, place));
                    return true;
                }
            }
        }
        false
    }

    fn dies(&mut self, owner: Owner, batch: &[Message], likely: f64, fault: Fault) -> bool {
        let struck = |message: &Message| is_talking(owner) && self.strikes(message.id, fault);
        let scripted = batch.iter().any(struck);
        scripted || self.dice.chance(likely)
    }

    /// The transaction: what is known is answered again, what is new is decided about.
    fn handle(&mut self, owner: Owner, batch: &[Message]) -> Result<Vec<Outgoing>, String> {
        let now = self.agenda.now();
        let (mut said, mut met) = (Vec::new(), BTreeSet::new());
        for message in batch {
            match self.service(owner).interest(message) {
                Interest::Handle => {}
                Interest::Ignore => continue,
                Interest::Unknown => {
                    return Err(format!("{owner:?} does not know {}", message.kind));
                }
            }
            if owner == Owner::Orders && self.is_lost(message) {
                continue;
            }
            let knows = self.service(owner).remembers() && !self.has(Defect::NoDeduplication);
            if knows && met.contains(&message.id) {
                continue;
            }
            let forgets = knows && self.dice.chance(self.plan.weather.forgotten);
            let node = self.node(owner);
            if knows
                && !forgets
                && let Some(replies) = node.inbox.get(&message.id)
            {
                let replies = replies.clone();
                met.insert(message.id);
                if !self.has(Defect::SilentAboutDuplicates) {
                    said.extend(replies);
                }
                continue;
            }
            let mut message = message.clone();
            if owner == Owner::Orders && self.spoil(&mut message) {
                continue;
            }
            let mut stamp = self.ids.stamp(now);
            let decided = self.service(owner).decide(&message, &mut stamp);
            let decided = decided.map_err(|fault| {
                format!(
                    "{owner:?} would park {} {}: {fault}",
                    message.kind, message.id
                )
            })?;
            self.note(|| format!("{owner:?} has handled {} {}", message.kind, message.id));
            let replies = decided
                .iter()
                .filter(|reply| reply.causation == Some(message.id));
            let replies = replies.cloned().collect();
            self.node(owner).inbox.insert(message.id, replies);
            met.insert(message.id);
            said.extend(decided);
            if owner == Owner::Orders {
                self.saga_moved(OrderId::new(message.key), &mut said)?;
            }
        }
        Ok(said)
    }

    /// Whether an answer is lost, as a broker without replicas can lose it when the power fails.
    fn is_lost(&mut self, message: &Message) -> bool {
        let is_answer = message.causation.is_some();
        self.strikes(message.id, Fault::ReplyLost)
            || is_answer && self.dice.chance(self.plan.weather.answer_lost)
    }

    /// Puts in the defects of a careless orchestrator. Gives whether the message is dropped.
    fn spoil(&mut self, message: &mut Message) -> bool {
        let saga = self.orders.saga(OrderId::new(message.key));
        let awaited = saga
            .and_then(|saga| saga.awaited.as_ref())
            .map(|awaited| awaited.id);
        if self.has(Defect::StaleRepliesCount) && message.causation.is_some() {
            message.causation = awaited.or(message.causation);
        }
        let waits = saga.is_some_and(|saga| saga.state == State::Waiting);
        self.has(Defect::EarlyEventsDropped) && self.orders.waits_for(&message.kind) && !waits
    }

    /// A saga may have come to another step, gone back, or got stuck.
    pub(crate) fn saga_moved(
        &mut self,
        order: OrderId,
        said: &mut Vec<Outgoing>,
    ) -> Result<(), String> {
        let skip = self.has(Defect::SkippedCompensation);
        while skip
            && let Some(saga) = self.orders.saga(order)
            && let Some(awaited) = &saga.awaited
            && awaited.purpose == Purpose::Undo
        {
            let (undo, step) = (awaited.id, saga.step.clone());
            let ordered = saga::Ordered {
                by: "a defect".to_owned(),
                why: "to be found".to_owned(),
            };
            // What is in time is not skipped: so it is silent first, all at once.
            let input = match saga.state {
                State::Stuck => Input::Operator {
                    intervention: saga::Intervention::Skip,
                    step: &step,
                    ordered: &ordered,
                },
                _ => Input::Silence { command: undo },
            };
            let mut stamp = self.ids.stamp(self.agenda.now());
            let given = self.orders.give(order, input, &mut stamp);
            let given = given.map_err(|fault| fault.to_string())?;
            said.extend(given.map(|(_, said)| said).unwrap_or_default());
            said.retain(|outgoing| outgoing.id != undo);
        }
        let Some(saga) = self.orders.saga(order) else {
            return Ok(());
        };
        let (state, step) = (saga.state, saga.step.clone());
        if state == State::Stuck && self.stuck.insert(order) {
            let wait = self.dice.within(1_000..=60_000);
            self.agenda.after(wait, Event::Retry(order));
        }
        for (wait, event) in self.at_step.remove(&(order, step)).unwrap_or_default() {
            self.agenda.after(wait, event);
        }
        let end = self.orders.order(order).map(|order| order.state);
        if matches!(
            end,
            Some(OrderState::Complete | OrderState::Rejected | OrderState::Cancelled)
        ) {
            self.note(|| format!("order {order} has ended: {end:?}"));
        }
        Ok(())
    }

    /// What a handler does behind its commit; nothing, when its process died.
    fn after_commit(&mut self, owner: Owner, dies: bool) {
        if owner == Owner::Payments {
            self.calls_opened(dies);
        }
        if owner == Owner::Views && self.dice.chance(self.plan.weather.rebuilt) {
            self.agenda.after(0, Event::Rebuild);
        }
    }
}
