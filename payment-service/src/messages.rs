//! What order-service asks on `order-payment`: hold this; take it; let it go.
//!
//! The transaction of a batch commits intents only. The gateway is asked afterwards, by the [worker](crate::worker),
//! to whom the calls are handed over as soon as they are committed.

mod reply;

use std::collections::hash_map::Entry;

use contracts::{AuthorisePayment, Illegal, Kind, OrderId, PaymentMethodId, PaymentOrder};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{
    domain::{Answer, Command, Intent, Payment},
    store::{self, Claim, Loaded, Row},
    worker::{Handoff, Job},
};

pub use reply::write as write_reply;

/// What is handled on `order-payment`.
const HANDLED: [Kind; 4] = [
    Kind::OrderCreated,
    Kind::OrderReady,
    Kind::OrderRejected,
    Kind::OrderCancelled,
];

/// Handles `order-payment`.
#[derive(Debug, Clone)]
pub struct Paying {
    claim: Claim,
    handoff: Handoff,
}

impl Paying {
    /// A handler that claims the calls which it opens, and hands them over.
    #[must_use]
    pub const fn new(claim: Claim, handoff: Handoff) -> Self {
        Self { claim, handoff }
    }
}

impl Handler for Paying {
    type World = Loaded;
    type Effects = Vec<Job>;

    fn interest(&self, topic: &str, kind: &str) -> Interest {
        protocol::interest(topic, kind, &HANDLED)
    }

    /// A payment keeps its answers itself, for ever, and most of them come long after the message was handled.
    fn remembers(&self) -> bool {
        false
    }

    async fn load(&self, db: &DatabaseTransaction, messages: &[Message]) -> Result<Loaded, DbErr> {
        let wanted: Vec<_> = messages.iter().map(wanted).collect();
        store::load(db, &wanted).await
    }

    fn decide(
        &self,
        world: &mut Loaded,
        message: &Message,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        decide(world, message, stamp)
    }

    async fn save(&self, db: &DatabaseTransaction, world: Loaded) -> Result<Vec<Job>, DbErr> {
        let Loaded { payments, methods } = world;
        let rows: Vec<Row> = payments.into_values().filter(Row::is_changed).collect();
        let saved = store::save(db, &rows, &self.claim).await?;
        if saved.len() != rows.len() {
            // All of them were locked, or inserted just now.
            let problem = "payments changed while they were locked";
            return Err(DbErr::Custom(problem.to_owned()));
        }
        let opened = rows.into_iter().filter(|row| row.opened().is_some());
        let jobs = opened.map(|row| {
            let method = row.payment.terms.map(|terms| terms.payment_method_id);
            let method = method.and_then(|method| methods.get(&method));
            Job::new(row.saved(), method.map(|method| method.token.clone()))
        });
        Ok(jobs.collect())
    }

    fn committed(&self, jobs: Vec<Job>) {
        for job in jobs {
            self.handoff.give(job);
        }
    }
}

/// Decides about one message, purely: changes `world` and gives what is said at once. What the gateway has to be asked is
/// open in the payment then.
///
/// # Errors
/// The message cannot be read, or the payment's state forbids what it wants.
pub fn decide(
    world: &mut Loaded,
    message: &Message,
    stamp: &mut Stamp,
) -> Result<Vec<Outgoing>, Fault> {
    let (payment, answers) = match protocol::kind(message)? {
        Kind::OrderCreated => authorise(world, message, stamp)?,
        Kind::OrderReady => capture(world, message, stamp)?,
        Kind::OrderRejected | Kind::OrderCancelled => void(world, message, stamp)?,
        other => return Err(Fault::new(format!("payments do not handle {other}"))),
    };
    answers
        .iter()
        .map(|answer| reply::write(payment, answer))
        .collect()
}

/// What has to be loaded for a message. A body that cannot be read is told about when the message's turn comes.
fn wanted(message: &Message) -> (OrderId, Option<PaymentMethodId>) {
    let body = (message.kind == Kind::OrderCreated.as_str())
        .then(|| protocol::read::<AuthorisePayment>(message).ok())
        .flatten();
    (message.key.into(), body.map(|body| body.payment_method_id))
}

/// Hold this.
fn authorise<'w>(
    world: &'w mut Loaded,
    message: &Message,
    stamp: &mut Stamp,
) -> Result<(&'w Payment, Vec<Answer>), Fault> {
    let order: AuthorisePayment = protocol::read(message)?;
    let command = command(message, Intent::Authorise);
    match world.payments.entry(order.order_id) {
        Entry::Occupied(known) => obey(known.into_mut(), command, stamp),
        Entry::Vacant(place) => {
            let method = world.methods.get(&order.payment_method_id);
            let (payment, answers) =
                Payment::authorise(&order, method, command, stamp).map_err(fault)?;
            Ok((&place.insert(Row::new(payment)).payment, answers))
        }
    }
}

/// Take it.
fn capture<'w>(
    world: &'w mut Loaded,
    message: &Message,
    stamp: &mut Stamp,
) -> Result<(&'w Payment, Vec<Answer>), Fault> {
    let PaymentOrder { order_id, .. } = protocol::read(message)?;
    let known = world.payments.get_mut(&order_id);
    let known = known.ok_or_else(|| Fault::new("there is no payment that could be captured"))?;
    obey(known, command(message, Intent::Capture), stamp)
}

/// Let it go.
fn void<'w>(
    world: &'w mut Loaded,
    message: &Message,
    stamp: &mut Stamp,
) -> Result<(&'w Payment, Vec<Answer>), Fault> {
    let PaymentOrder { order_id, .. } = protocol::read(message)?;
    let command = command(message, Intent::Void);
    match world.payments.entry(order_id) {
        Entry::Occupied(known) => obey(known.into_mut(), command, stamp),
        Entry::Vacant(place) => {
            let (payment, answers) = Payment::tombstone(order_id, command, stamp).map_err(fault)?;
            Ok((&place.insert(Row::new(payment)).payment, answers))
        }
    }
}

fn obey<'w>(
    row: &'w mut Row,
    command: Command,
    stamp: &mut Stamp,
) -> Result<(&'w Payment, Vec<Answer>), Fault> {
    let answers = row.payment.obey(command, stamp).map_err(fault)?;
    Ok((&row.payment, answers))
}

fn command(message: &Message, intent: Intent) -> Command {
    Command {
        id: message.id,
        intent,
        trace: message.trace,
    }
}

fn fault(illegal: Illegal) -> Fault {
    Fault::new(illegal.to_string())
}
