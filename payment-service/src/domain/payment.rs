//! The payment of one order: which calls to the gateway it needs, one after another, and how commands are answered.

use chrono::{DateTime, Utc};
use contracts::{
    AuthorisePayment, Code, CustomerId, Illegal, Kind, Machine, Money, OrderId, PaymentId,
    PaymentMethodId, PaymentState, Reason,
};
use messaging::Stamp;
use uuid::Uuid;

use super::{Answer, Command, Intent, Method};

/// The payment of one order, or the tombstone of one that will never be.
///
/// At most one call to the gateway is open. Commands that need its result wait behind it, and are decided when it has
/// come: so a hold whose making was never answered is found out first, and then let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The order: there is one payment of it, whatever is asked twice.
    pub order_id: OrderId,
    /// The id of the payment itself.
    pub payment_id: PaymentId,
    /// How far it is.
    pub state: PaymentState,
    /// 1 for the intent; each answer counts one further, also one that finds the state as it was.
    pub version: i64,
    /// What is to be paid, by whom and with what. A tombstone does not know.
    pub terms: Option<Terms>,
    /// What the gateway calls the hold, once there was one.
    pub authorisation: Option<String>,
    /// Why it was declined.
    pub reason: Option<Reason>,
    /// The command that the gateway is being asked about.
    pub call: Option<Command>,
    /// Commands that wait for the answer, in their order.
    pub waiting: Vec<Command>,
    /// The answers given so far.
    pub answers: Vec<Answer>,
    /// When it was first heard of.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What is to be paid, by whom and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How much.
    pub amount: Money,
    /// Who pays.
    pub customer_id: CustomerId,
    /// With what.
    pub payment_method_id: PaymentMethodId,
}

/// What the gateway has said to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The amount is held, under this name.
    Held(String),
    /// The amount is not held.
    Refused(Reason),
    /// What was held is taken or let go, or what was taken is given back.
    Done,
}

/// Why an outcome does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// Somebody else has brought the same answer before.
    #[error("this call is not open any more")]
    NotOpen,
    /// It answers another question.
    #[error("{0:?} cannot be answered with this")]
    Mismatch(Intent),
    /// The state forbids it.
    #[error(transparent)]
    Illegal(#[from] Illegal),
}

impl Payment {
    /// A payment begins: with a call to the gateway, or DECLINED where that is not needed to know.
    ///
    /// # Errors
    /// Never, as long as the state table lets payments begin.
    pub fn authorise(
        order: &AuthorisePayment,
        method: Option<&Method>,
        command: Command,
        stamp: &mut Stamp,
    ) -> Result<(Self, Vec<Answer>), Illegal> {
        let mut payment = Self::begin(order.order_id, stamp)?;
        payment.terms = Some(Terms {
            amount: order.amount,
            customer_id: order.customer_id,
            payment_method_id: order.payment_method_id,
        });
        if let Some(reason) = refusal(order, method, stamp.now) {
            payment.state = payment.state.move_to(PaymentState::Declined)?;
            payment.reason = Some(reason);
        }
        let answers = payment.obey(command, stamp)?;
        Ok((payment, answers))
    }

    /// A void came before its authorisation: when that comes, it will be refused.
    ///
    /// # Errors
    /// Never, as long as the state table lets payments begin.
    pub fn tombstone(
        order_id: OrderId,
        command: Command,
        stamp: &mut Stamp,
    ) -> Result<(Self, Vec<Answer>), Illegal> {
        let mut payment = Self::begin(order_id, stamp)?;
        payment.state = payment.state.move_to(PaymentState::Voided)?;
        let answers = payment.obey(command, stamp)?;
        Ok((payment, answers))
    }

    fn begin(order_id: OrderId, stamp: &mut Stamp) -> Result<Self, Illegal> {
        Ok(Self {
            order_id,
            payment_id: PaymentId::new(stamp.new_id()),
            state: PaymentState::Authorising.begin()?,
            version: 1,
            terms: None,
            authorisation: None,
            reason: None,
            call: None,
            waiting: Vec::new(),
            answers: Vec::new(),
            created_at: stamp.now,
            updated_at: stamp.now,
        })
    }

    /// Takes a command. What it gives is to be said now; where it gives nothing, the gateway's answer will bring it.
    ///
    /// A command that was answered is answered again with the same answer; one that is being worked on is not taken
    /// twice. Another command for what was already done is answered from the state: nothing is done twice.
    ///
    /// # Errors
    /// The state, or what it is bound to become, forbids it. Nothing has changed then.
    pub fn obey(&mut self, command: Command, stamp: &mut Stamp) -> Result<Vec<Answer>, Illegal> {
        if let Some(given) = self.answer_to(command.id) {
            return Ok(vec![given.clone()]);
        }
        if self.pending().any(|pending| pending.id == command.id) {
            return Ok(Vec::new());
        }
        self.admit(command.intent)?;
        self.updated_at = stamp.now;
        self.waiting.push(command);
        Ok(self.go_on(stamp))
    }

    /// Gives back what was taken, because an operator wants it. Once: whoever asks again, asks for the same refund, and
    /// `None` says so.
    ///
    /// # Errors
    /// Nothing was taken, nor will be. Nothing has changed then.
    pub fn refund(
        &mut self,
        command: Command,
        stamp: &mut Stamp,
    ) -> Result<Option<Vec<Answer>>, Illegal> {
        match self.bound() {
            PaymentState::Refunded => Ok(None),
            _ => self.obey(command, stamp).map(Some),
        }
    }

    /// Takes the gateway's answer to the call about the command `id`; gives what is to be said.
    ///
    /// # Errors
    /// The outcome does not count. Nothing has changed then.
    pub fn settle(
        &mut self,
        id: Uuid,
        outcome: Outcome,
        stamp: &mut Stamp,
    ) -> Result<Vec<Answer>, Unsettled> {
        let call = self.call.filter(|call| call.id == id);
        let call = call.ok_or(Unsettled::NotOpen)?;
        let next = match (call.intent, &outcome) {
            (Intent::Authorise, Outcome::Held(_)) => PaymentState::Authorised,
            (Intent::Authorise, Outcome::Refused(_)) => PaymentState::Declined,
            (Intent::Capture, Outcome::Done) => PaymentState::Captured,
            (Intent::Void, Outcome::Done) => PaymentState::Voided,
            (Intent::Refund, Outcome::Done) => PaymentState::Refunded,
            (other, _) => return Err(Unsettled::Mismatch(other)),
        };
        self.state = self.state.move_to(next)?;
        match outcome {
            Outcome::Held(authorisation) => self.authorisation = Some(authorisation),
            Outcome::Refused(reason) => self.reason = Some(reason),
            Outcome::Done => {}
        }
        self.call = None;
        self.waiting.insert(0, call);
        Ok(self.go_on(stamp))
    }

    /// How the command `id` was answered, if it was.
    #[must_use]
    pub fn answer_to(&self, id: Uuid) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.command.id == id)
    }

    /// Commands that are not answered yet.
    fn pending(&self) -> impl Iterator<Item = &Command> {
        self.call.iter().chain(&self.waiting)
    }

    /// Where the payment will be when what was admitted is done.
    fn bound(&self) -> PaymentState {
        let wanted = |intent| self.pending().any(|pending| pending.intent == intent);
        if wanted(Intent::Void) && self.state != PaymentState::Declined {
            PaymentState::Voided
        } else if wanted(Intent::Refund) {
            PaymentState::Refunded
        } else if wanted(Intent::Capture) {
            PaymentState::Captured
        } else {
            self.state
        }
    }

    /// Whether the intent may be taken. What is admitted can be done or answered when its turn comes.
    fn admit(&self, intent: Intent) -> Result<(), Illegal> {
        let goal = match intent {
            Intent::Authorise => return Ok(()),
            Intent::Capture => PaymentState::Captured,
            Intent::Void => PaymentState::Voided,
            Intent::Refund => PaymentState::Refunded,
        };
        let bound = self.bound();
        // A declined payment holds nothing that would have to be let go.
        let nothing_held = intent == Intent::Void && bound == PaymentState::Declined;
        if nothing_held || bound.has_reached(goal) {
            return Ok(());
        }
        bound.move_to(goal).map(drop)
    }

    /// Answers what waits, up to the next command that needs the gateway.
    fn go_on(&mut self, stamp: &mut Stamp) -> Vec<Answer> {
        let mut said = Vec::new();
        while self.call.is_none() && !self.waiting.is_empty() {
            let command = self.waiting.remove(0);
            match self.consider(command.intent) {
                Some((kind, reason)) => said.push(self.say(command, kind, reason, stamp)),
                None => self.call = Some(command),
            }
        }
        said
    }

    /// What the state answers to the intent; nothing where the gateway has to be asked.
    fn consider(&self, intent: Intent) -> Option<(Kind, Option<Reason>)> {
        match (intent, self.state) {
            (Intent::Authorise, PaymentState::Authorising)
            | (Intent::Capture | Intent::Void, PaymentState::Authorised)
            | (Intent::Refund, PaymentState::Captured) => None,
            (Intent::Authorise, PaymentState::Declined) => {
                Some((Kind::PaymentRejected, self.reason.clone()))
            }
            (Intent::Authorise, PaymentState::Voided) => {
                let reason = Reason::new(Code::PAYMENT_VOIDED, "The payment was voided before.");
                Some((Kind::PaymentRejected, Some(reason)))
            }
            (Intent::Authorise, _) => Some((Kind::PaymentApproved, None)),
            (Intent::Capture, _) => Some((Kind::PaymentCaptured, None)),
            (Intent::Void, _) => Some((Kind::PaymentVoided, None)),
            (Intent::Refund, _) => Some((Kind::PaymentRefunded, None)),
        }
    }

    fn say(
        &mut self,
        command: Command,
        kind: Kind,
        reason: Option<Reason>,
        stamp: &mut Stamp,
    ) -> Answer {
        self.version += 1;
        self.updated_at = stamp.now;
        let answer = Answer {
            command,
            id: stamp.new_id(),
            kind,
            state: self.state,
            version: self.version,
            reason,
            at: stamp.now,
        };
        self.answers.push(answer.clone());
        answer
    }
}

/// Why an order cannot be paid like this, as far as that can be known without the gateway.
fn refusal(
    order: &AuthorisePayment,
    method: Option<&Method>,
    now: DateTime<Utc>,
) -> Option<Reason> {
    if order.amount.amount() == 0 {
        let code = Code::from("NOTHING_TO_PAY".to_owned());
        return Some(Reason::new(code, "A card cannot pay nothing."));
    }
    match method {
        Some(method) => method.refusal(order.customer_id, now),
        None => Some(Reason::new(
            Code::PAYMENT_METHOD_UNKNOWN,
            "There is no such payment method.",
        )),
    }
}

#[cfg(test)]
mod tests;
