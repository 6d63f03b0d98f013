//! Calls to the gateway, over a line that loses and delays.

use contracts::OrderId;
use payment_service::{
    domain::{Command, Outcome, Unsettled},
    gateway::Failure,
};
use uuid::Uuid;

use super::{City, Event, Thing};
use crate::{plan::Owner, services::Call};

/// How long an answer is waited for, in milliseconds.
const PATIENCE: u64 = 3_000;
/// When a call that nobody makes any more is made by somebody else.
const CLAIM: u64 = 2 * PATIENCE;

impl City {
    /// Makes the calls that a transaction has opened. Those of a process that died are left to whoever claims them.
    pub(super) fn calls_opened(&mut self, died: bool) {
        for order in std::mem::take(&mut self.payments.opened) {
            let Some(call) = self.payments.call(order) else {
                continue;
            };
            let event = Event::Call(order, call.command.id);
            let wait = if died { CLAIM } else { self.dice.within(0..=5) };
            self.agenda.after(wait, event.clone());
            if self.dice.chance(self.plan.weather.called_twice) {
                let wait = self.dice.within(0..=CLAIM);
                self.agenda.after(wait, event);
            }
        }
    }

    /// Somebody makes the call about a command, if it is open still.
    pub(super) fn call(&mut self, order: OrderId, command: Uuid) -> Result<(), String> {
        let Some(call) = self.payments.call(order) else {
            return Ok(());
        };
        if call.command.id != command {
            return Ok(());
        }
        let needs = [
            Thing::Service(Owner::Payments),
            Thing::Postgres,
            Thing::Gateway,
        ];
        let again = Event::Call(order, command);
        if let Some(until) = self.away(&needs) {
            self.agenda.at(until.after(100), again);
            return Ok(());
        }
        if !self.dice.chance(self.plan.weather.bad_line) {
            let outcome = self.ask(&call)?;
            let wait = self.dice.within(1..=20);
            self.agenda
                .after(wait, Event::Settle(order, call.command, outcome));
            return Ok(());
        }
        // Lost on its way there, on its way back, or so late that nobody waits for it.
        match self.dice.within(0..=2) {
            0 => {}
            1 => drop(self.ask(&call)?),
            _ => {
                let wait = self.dice.within(PATIENCE..=20_000);
                self.agenda.after(wait, Event::ArrivesLate(Box::new(call)));
            }
        }
        self.note(|| format!("the call about {command} finds no answer"));
        self.agenda.after(PATIENCE + 250, again);
        Ok(())
    }

    /// Nobody waits for the answer, but it is done.
    pub(super) fn arrives_late(&mut self, call: &Call) -> Result<(), String> {
        self.ask(call).map(drop)
    }

    fn ask(&mut self, call: &Call) -> Result<Outcome, String> {
        let Command { id, intent, .. } = call.command;
        self.note(|| format!("the gateway is asked to {} by {id}", intent.as_str()));
        match call.ask(&self.network) {
            Ok(outcome) => Ok(outcome),
            Err(Failure::Away(why) | Failure::Unusable(why)) => {
                let order = call.payment.order_id;
                Err(format!(
                    "the gateway cannot {} for {order}: {why}",
                    intent.as_str()
                ))
            }
        }
    }

    /// The gateway's answer is committed, if its call is open still.
    pub(super) fn settle(
        &mut self,
        order: OrderId,
        command: Command,
        outcome: Outcome,
    ) -> Result<(), String> {
        if let Some(until) = self.away(&[Thing::Service(Owner::Payments), Thing::Postgres]) {
            // The answer is lost with the process that had it.
            self.agenda
                .at(until.after(100), Event::Call(order, command.id));
            return Ok(());
        }
        let mut stamp = self.ids.stamp(self.agenda.now());
        let said = match self.payments.settle(order, command, outcome, &mut stamp) {
            Ok(said) => said,
            Err(Unsettled::NotOpen) => return Ok(()),
            Err(error) => return Err(format!("an answer of the gateway about {order}: {error}")),
        };
        self.committed(Owner::Payments, said)?;
        self.calls_opened(false);
        Ok(())
    }
}
