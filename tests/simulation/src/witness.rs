//! Sees everything that is committed and everything that reaches the broker, and knows what must be true of it at all
//! times.

use std::collections::{BTreeMap, BTreeSet};

use contracts::{Machine, OrderId};
use messaging::{Message, Outgoing};
use order_view::{domain::Told, messages::news};
use uuid::Uuid;

use crate::plan::Owner;

/// Messages of one owner to one topic about one order.
type Line = (Owner, String, Uuid);

#[derive(Debug, Default)]
struct Said {
    /// The messages, each once, in the order in which they were committed.
    committed: Vec<Uuid>,
    /// How many of them have appeared.
    appeared: usize,
}

/// What a new message has to fit to.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    lines: BTreeMap<Line, Said>,
    messages: BTreeMap<Uuid, Outgoing>,
    appeared: BTreeSet<Uuid>,
    /// How each command was answered.
    answers: BTreeMap<Uuid, Uuid>,
    /// The newest that each aggregate has told of itself.
    told: BTreeMap<(OrderId, &'static str), (i64, Told)>,
    /// An inbox may forget: then a command may be answered anew.
    pub(crate) inboxes_forget: bool,
}

impl Witness {
    /// `owner` has committed an outbox row.
    pub(crate) fn committed(&mut self, owner: Owner, outgoing: &Outgoing) -> Result<(), String> {
        let Outgoing { id, kind, key, .. } = outgoing;
        if let Some(known) = self.messages.get(id) {
            return match known == outgoing {
                true => Ok(()),
                false => Err(format!("{kind} {id} is sent again, and is not the same")),
            };
        }
        self.messages.insert(*id, outgoing.clone());
        if let Some(command) = outgoing.causation {
            let before = self.answers.insert(command, *id);
            if before.is_some() && !self.inboxes_forget {
                return Err(format!(
                    "{command} is answered twice, the second time by {kind} {id}"
                ));
            }
        }
        let line = (owner, outgoing.topic.clone(), *key);
        self.lines.entry(line).or_default().committed.push(*id);
        self.tells(outgoing)
    }

    /// Versions ascend, and states follow each other as the tables allow.
    fn tells(&mut self, outgoing: &Outgoing) -> Result<(), String> {
        let Ok(news) = news(&read(outgoing)) else {
            // A verdict on a customer: no aggregate that anybody follows.
            return Ok(());
        };
        let (what, order, version) = (aggregate(&news.told), news.order_id, news.version);
        let before = self
            .told
            .insert((order, what), (version, news.told.clone()));
        let Some((last, told)) = before else {
            return Ok(());
        };
        let kind = &outgoing.kind;
        if version <= last {
            return Err(format!(
                "{kind} of {order} has version {version}, after {last}"
            ));
        }
        let (from, to, follows) = step(&told, &news.told);
        match follows {
            true => Ok(()),
            false => Err(format!(
                "{kind} of {order}: {what} went from {from} to {to}"
            )),
        }
    }

    /// A relay has appended a row of `owner` to its topic.
    pub(crate) fn appeared(&mut self, owner: Owner, outgoing: &Outgoing) -> Result<(), String> {
        let Outgoing { id, kind, key, .. } = outgoing;
        if !self.appeared.insert(*id) {
            return Ok(());
        }
        let said = self
            .lines
            .get_mut(&(owner, outgoing.topic.clone(), *key))
            .ok_or_else(|| format!("{kind} {id} appears, and nobody has committed it"))?;
        let next = said.committed.get(said.appeared);
        said.appeared += 1;
        match next == Some(id) {
            true => Ok(()),
            false => Err(format!(
                "{kind} {id} appears before what was committed before it"
            )),
        }
    }

    /// What was committed and has never appeared.
    pub(crate) fn missing(&self) -> Option<String> {
        let missing = self
            .messages
            .values()
            .find(|message| !self.appeared.contains(&message.id))?;
        Some(format!(
            "{} {} was committed and never appeared",
            missing.kind, missing.id
        ))
    }
}

fn aggregate(told: &Told) -> &'static str {
    match told {
        Told::Order(_) => "order",
        Told::Ticket(_) => "ticket",
        Told::Payment(_) => "payment",
        Told::Kitchen(_) => "kitchen",
        Told::Delivery(_) => "delivery",
    }
}

fn step(from: &Told, to: &Told) -> (&'static str, &'static str, bool) {
    fn may<M: Machine>(from: M, to: M) -> (&'static str, &'static str, bool) {
        (from.word(), to.word(), from == to || from.may_move_to(to))
    }
    match (from, to) {
        (Told::Order(from), Told::Order(to)) => may(from.state, to.state),
        (Told::Ticket(from), Told::Ticket(to)) => may(from.state, to.state),
        (Told::Payment(from), Told::Payment(to)) => may(from.state, to.state),
        (Told::Kitchen(from), Told::Kitchen(to)) => may(from.state, to.state),
        (Told::Delivery(from), Told::Delivery(to)) => may(from.state, to.state),
        _ => ("one aggregate", "another", false),
    }
}

fn read(outgoing: &Outgoing) -> Message {
    Message {
        id: outgoing.id,
        kind: outgoing.kind.clone(),
        source: String::new(),
        key: outgoing.key,
        time: outgoing.time,
        sequence: outgoing.sequence,
        causation: outgoing.causation,
        trace: None,
        topic: outgoing.topic.clone(),
        partition: 0,
        offset: 0,
        body: outgoing.body.clone(),
    }
}
