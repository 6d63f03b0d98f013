//! From the commit to the topic: outbox and relay.

use contracts::OrderId;
use messaging::Outgoing;

use super::{City, Event, Thing};
use crate::{
    defect::Defect,
    plan::{Fault, Owner},
};

/// The most rows of one look.
const BATCH: u64 = 10;
/// When the doorbell was not heard, the relay looks by itself.
const POLL: u64 = 500;

impl City {
    /// What a transaction of `owner` has said is committed, and the doorbell rung.
    pub(crate) fn committed(&mut self, owner: Owner, said: Vec<Outgoing>) -> Result<(), String> {
        for outgoing in &said {
            self.witness.committed(owner, outgoing)?;
            self.recognise(owner, outgoing);
        }
        if self.has(Defect::DeadlineFromDecision) && owner == Owner::Orders {
            for outgoing in &said {
                self.deadline(outgoing);
            }
        }
        if said.is_empty() {
            return Ok(());
        }
        self.node(owner).outbox.extend(said);
        let rings = !self.dice.chance(self.plan.weather.slow);
        let wait = if rings { self.dice.within(0..=3) } else { POLL };
        self.agenda.after(wait, Event::Relay(owner));
        Ok(())
    }

    /// Notes the messages of conversations that something is going to happen to.
    fn recognise(&mut self, owner: Owner, outgoing: &Outgoing) {
        let scripted = self.plan.scripted.iter().position(|scripted| match owner {
            Owner::Orders => scripted.topic == outgoing.topic && scripted.kind == outgoing.kind,
            _ => false,
        });
        let answers = outgoing
            .causation
            .and_then(|id| self.scripted.get(&id))
            .copied();
        if let Some(scripted) = scripted.or(answers) {
            self.scripted.insert(outgoing.id, scripted);
        }
    }

    /// The relay of `owner` looks into its outbox.
    pub(super) fn relay(&mut self, owner: Owner) -> Result<(), String> {
        if let Some(until) = self.away(&[Thing::Relay(owner), Thing::Postgres, Thing::Kafka]) {
            self.agenda.at(until, Event::Relay(owner));
            return Ok(());
        }
        if self.dice.chance(self.plan.weather.sent_again) {
            self.starts_again(owner);
        }
        let most = usize::try_from(self.dice.within(1..=BATCH)).unwrap_or(1);
        let node = self.node(owner);
        let (from, end) = (node.sent, node.outbox.len().min(node.sent + most));
        let mut rows = node.outbox.get(from..end).unwrap_or_default().to_vec();
        node.sent = end;
        if end < node.outbox.len() {
            self.agenda.after(1, Event::Relay(owner));
        }
        if self.has(Defect::ReorderingRelay) && self.dice.chance(0.2) {
            rows.reverse();
        }
        if self.has(Defect::ForgetfulRelay) && self.dice.chance(0.05) {
            rows.pop();
        }
        for row in rows {
            self.send(owner, &row)?;
            if self.strikes(row.id, Fault::Duplicated) {
                self.send(owner, &row)?;
            }
        }
        // The cursor is moved lazily.
        if self.dice.chance(0.5) {
            let node = self.node(owner);
            node.cursor = node.sent;
        }
        Ok(())
    }

    /// A new relay begins where the old one has noted that it was; or an old one, which was paused, still sends what it
    /// had read. Either way what was sent is sent again, in its order.
    fn starts_again(&mut self, owner: Owner) {
        let node = self.node(owner);
        let (cursor, sent) = (node.cursor, node.sent);
        node.sent = cursor;
        self.note(|| format!("the relay of {owner:?} begins again at {cursor}, it was at {sent}"));
        if cursor < sent {
            self.agenda.after(1, Event::Relay(owner));
        }
    }

    fn send(&mut self, owner: Owner, row: &Outgoing) -> Result<(), String> {
        self.witness.appeared(owner, row)?;
        let name = self.service(owner).name();
        let place = self.broker.append(name, row);
        let (topic, partition) = place.ok_or_else(|| format!("there is no topic {}", row.topic))?;
        self.note(|| format!("{name} -> {topic}: {} {} {}", row.kind, row.key, row.id));
        if owner == Owner::Orders && !self.has(Defect::DeadlineFromDecision) {
            self.deadline(row);
        }
        for reader in Owner::ALL {
            if self.service(reader).topics().contains(&topic) {
                let mut wait = self.dice.within(0..=4);
                if self.dice.chance(self.plan.weather.slow) {
                    wait = self.dice.within(0..=self.plan.weather.slowest);
                }
                self.agenda
                    .after(wait, Event::Consume(reader, (topic, partition)));
            }
        }
        Ok(())
    }

    /// The patience with a command runs from now on.
    fn deadline(&mut self, row: &Outgoing) {
        let order = OrderId::new(row.key);
        let awaited = self
            .orders
            .saga(order)
            .and_then(|saga| saga.awaited.as_ref());
        let Some(awaited) = awaited.filter(|awaited| awaited.id == row.id) else {
            return;
        };
        let attempt = awaited.attempt;
        if let Some(patience) = self.orders.patience(order) {
            // Somebody looks once a second.
            let wait = patience + self.dice.within(1..=1_000);
            let command = row.id;
            let event = Event::Silence {
                order,
                command,
                attempt,
            };
            self.agenda.after(wait, event);
        }
    }

    /// Whether a scripted fault strikes this message now. Each strikes each message once.
    pub(crate) fn strikes(&mut self, message: uuid::Uuid, fault: Fault) -> bool {
        let Some(&scripted) = self.scripted.get(&message) else {
            return false;
        };
        if self.plan.scripted[scripted].fault != fault || !self.was_struck.insert(message) {
            return false;
        }
        *self.struck.entry(scripted).or_default() += 1;
        self.note(|| format!("{fault:?} strikes {message}"));
        true
    }
}
