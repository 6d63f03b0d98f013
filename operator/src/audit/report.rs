//! What an audit tells: sums, what is not at its end, what was not checked, and what is wrong.

use std::{collections::BTreeMap, fmt::Write};

use chrono::{DateTime, Utc};
use contracts::{OrderState, PaymentState};
use saga::State;
use serde::Serialize;

use super::{
    facts::{Facts, Saga},
    finding::Finding,
    suspects::Explained,
};
use crate::output::{count, plain, short, time};

/// So many explained findings are listed for people, and so many for scripts; the rest is counted.
const LISTED: usize = 5;
const KEPT: usize = 1_000;

/// What an audit tells.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) at: DateTime<Utc>,
    /// Only orders that were taken since.
    pub(crate) since: Option<DateTime<Utc>>,
    /// No violation, and nothing that was to be read is unread.
    pub(crate) clean: bool,
    /// By which rules it was judged, as far as these could be.
    pub(crate) rules: Vec<&'static str>,
    pub(crate) orders: Orders,
    /// By currency: what payment-service says.
    pub(crate) money: BTreeMap<String, Money>,
    /// By currency: what the gateway's ledger says.
    pub(crate) ledger: Option<BTreeMap<String, Money>>,
    /// How many lines of parked messages each consumer has.
    pub(crate) parked: BTreeMap<String, i64>,
    /// How many orders and records of the topics were folded.
    pub(crate) folded: Option<(u64, u64)>,
    pub(crate) not_checked: Vec<NotChecked>,
    /// What was waited for in vain.
    pub(crate) not_quiet: Vec<String>,
    /// The first of them.
    pub(crate) explained: Vec<Explained>,
    pub(crate) explained_in_all: usize,
    pub(crate) violations: Vec<Finding>,
    /// So many were found that the rest was left.
    pub(crate) stopped_early: bool,
}

/// Orders, by where they stand.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Orders {
    pub(crate) total: u64,
    /// By the order's state.
    pub(crate) states: BTreeMap<&'static str, u64>,
    /// Waiting for a person, by what for: `cooked`, `picked up`, `delivered`.
    pub(crate) waiting: BTreeMap<String, u64>,
    /// No answer to any attempt: an operator decides.
    pub(crate) stuck: u64,
    /// An answer is awaited.
    pub(crate) under_way: u64,
    /// The one of these that has stood still for the longest time.
    pub(crate) under_way_since: Option<DateTime<Utc>>,
}

/// Amounts in minor units: authorised = captured + voided + held.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Money {
    pub(crate) authorised: i128,
    pub(crate) captured: i128,
    /// Of what was captured.
    pub(crate) refunded: i128,
    pub(crate) voided: i128,
    pub(crate) held: i128,
}

/// Something that was not checked, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NotChecked {
    pub(crate) what: String,
    pub(crate) why: String,
}

impl Orders {
    pub(crate) fn add(&mut self, facts: &Facts) {
        let Some(order) = &facts.order else { return };
        self.total += 1;
        *self.states.entry(order.state.as_str()).or_default() += 1;
        let Some(saga) = &facts.saga else { return };
        let Saga {
            state,
            step,
            updated_at,
            ..
        } = saga;
        match state {
            State::Waiting => *self.waiting.entry(step.clone()).or_default() += 1,
            State::Stuck => self.stuck += 1,
            State::Completed | State::RolledBack => {}
            State::Forward | State::Backward | State::Cancelling => {
                self.under_way += 1;
                let since = self.under_way_since.get_or_insert(*updated_at);
                *since = (*since).min(*updated_at);
            }
        }
    }

    fn of(&self, state: OrderState) -> u64 {
        self.states.get(state.as_str()).copied().unwrap_or(0)
    }
}

/// Adds what payment-service says about one order.
pub(crate) fn add_payment(money: &mut BTreeMap<String, Money>, facts: &Facts) {
    let Some(payment) = &facts.payment else {
        return;
    };
    let (Some(amount), true) = (payment.amount, payment.authorisation.is_some()) else {
        return;
    };
    let sums = money.entry(amount.currency().to_string()).or_default();
    let amount = i128::from(amount.amount());
    sums.authorised += amount;
    match payment.state {
        PaymentState::Captured => sums.captured += amount,
        PaymentState::Refunded => {
            sums.captured += amount;
            sums.refunded += amount;
        }
        PaymentState::Voided => sums.voided += amount,
        PaymentState::Authorised => sums.held += amount,
        // Neither has a hold: a rule has found that.
        PaymentState::Authorising | PaymentState::Declined => {}
    }
}

/// Adds what the gateway says about one order.
pub(crate) fn add_ledger(money: &mut BTreeMap<String, Money>, facts: &Facts) {
    for entry in &facts.ledger {
        let sums = money.entry(entry.currency.clone()).or_default();
        let amount = i128::from(entry.amount);
        match entry.kind.as_str() {
            "HOLD" => {
                sums.authorised += amount;
                sums.held += amount;
            }
            "CHARGE" => {
                sums.captured += amount;
                sums.held -= amount;
            }
            "VOID" => {
                sums.voided += amount;
                sums.held -= amount;
            }
            "REFUND" => sums.refunded += amount,
            _ => {}
        }
    }
}

impl Report {
    /// Notes a finding that is no violation.
    pub(crate) fn explain(&mut self, explained: Explained) {
        self.explained_in_all += 1;
        if self.explained.len() < KEPT {
            self.explained.push(explained);
        }
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text.truncate(text.trim_end().len());
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        self.write_orders(text)?;
        self.write_money(text)?;
        for (consumer, lines) in &self.parked {
            writeln!(
                text,
                "parked        {} in {consumer} (operator dead-letters list --service {consumer})",
                count(*lines, "waiting order")
            )?;
        }
        if let Some((orders, records)) = self.folded {
            let (orders, records) = (count(orders, "order"), count(records, "record"));
            writeln!(text, "view = fold   {orders} from {records}")?;
        }
        for NotChecked { what, why } in &self.not_checked {
            writeln!(text, "not checked   {what}: {why}")?;
        }
        for what in &self.not_quiet {
            writeln!(text, "not quiet     {what}")?;
        }
        self.write_explained(text)?;
        for finding in &self.violations {
            writeln!(text)?;
            writeln!(
                text,
                "VIOLATION {}, order {}",
                finding.rule.name, finding.order
            )?;
            writeln!(
                text,
                "    expected  {}",
                short(&plain(&finding.expected), 400)
            )?;
            writeln!(text, "    found     {}", short(&plain(&finding.found), 400))?;
            writeln!(text, "    next      {}", finding.rule.next)?;
        }
        writeln!(text)?;
        if self.stopped_early {
            writeln!(text, "stopped here; --most shows more")?;
        }
        match self.violations.len() {
            0 => writeln!(text, "no violation"),
            1 => writeln!(text, "1 violation"),
            many => writeln!(text, "{many} violations"),
        }
    }

    fn write_orders(&self, text: &mut String) -> std::fmt::Result {
        let orders = &self.orders;
        let since = self
            .since
            .map_or(String::new(), |since| format!(" since {}", time(since)));
        writeln!(
            text,
            "orders        {}{since}: {} complete, {} rejected, {} cancelled",
            orders.total,
            orders.of(OrderState::Complete),
            orders.of(OrderState::Rejected),
            orders.of(OrderState::Cancelled)
        )?;
        for (what, count) in &orders.waiting {
            writeln!(
                text,
                "              {count} wait for a person, to be {what}"
            )?;
        }
        if orders.stuck > 0 {
            writeln!(
                text,
                "              {} stuck (GET /sagas?state=STUCK)",
                orders.stuck
            )?;
        }
        if let Some(since) = orders.under_way_since {
            writeln!(
                text,
                "              {} under way, the slowest at its step since {}",
                orders.under_way,
                time(since)
            )?;
        }
        Ok(())
    }

    fn write_money(&self, text: &mut String) -> std::fmt::Result {
        let mut line = |whose: &str, currency: &str, money: &Money| {
            writeln!(
                text,
                "{whose:<13} {currency}: authorised {} = captured {} + voided {} + held {}; refunded {}",
                money.authorised, money.captured, money.voided, money.held, money.refunded
            )
        };
        for (currency, money) in &self.money {
            line("payments", currency, money)?;
        }
        for (currency, money) in self.ledger.iter().flatten() {
            line("gateway", currency, money)?;
        }
        Ok(())
    }

    fn write_explained(&self, text: &mut String) -> std::fmt::Result {
        for Explained { finding, because } in self.explained.iter().take(LISTED) {
            let because = short(&plain(because), 200);
            writeln!(
                text,
                "explained     {}, order {}: {because}",
                finding.rule.name, finding.order
            )?;
        }
        match self.explained_in_all.checked_sub(LISTED) {
            Some(more @ 1..) => writeln!(text, "explained     and {more} more (--json)"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::rules::{Example, complete};

    #[test]
    fn authorised_is_captured_plus_voided_plus_held_in_both_books() {
        let (mut payments, mut ledger) = (BTreeMap::new(), BTreeMap::new());
        let orders = [
            complete(),
            Example::cancelled(),
            Example::rejected(),
            Example::at("cooked", State::Waiting, OrderState::Preparing),
        ];
        for order in &orders {
            add_payment(&mut payments, order.facts());
            add_ledger(&mut ledger, order.facts());
        }
        let expected = Money {
            authorised: 3750,
            captured: 1250,
            refunded: 0,
            voided: 1250,
            held: 1250,
        };
        assert_eq!(payments["EUR"], expected);
        assert_eq!(payments, ledger);
    }
}
