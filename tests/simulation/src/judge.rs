//! What must be true when everything has come to rest: each order has an end that can be explained, and everybody agrees
//! about it.

use contracts::{Code, CookState, DeliveryState, OrderId, OrderState, PaymentState, TicketState};
use gateway_simulator::domain::Entry;
use saga::State;

use crate::{
    city::{City, PRICE},
    plan::Story,
};

/// How an order ended, and how its saga came there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The state of the order.
    pub state: OrderState,
    /// The version of the definition that it began with.
    pub version: u32,
    /// Why it was rejected, where it was.
    pub rejected_for: Option<Code>,
    /// How often it was asked to be cancelled.
    pub cancels: usize,
    /// The step at which that met its saga, where it was not too late for it.
    pub cancel_met: Option<String>,
    /// Whether the kitchen said that it was too late.
    pub cancelled_too_late: bool,
    /// Whether what was taken for it was given back.
    pub refunded: bool,
    /// Whether a command of it was sent again.
    pub asked_again: bool,
    /// Whether its saga was stuck.
    pub was_stuck: bool,
}

/// Everybody's word on one order.
#[derive(Debug, PartialEq, Eq)]
struct Accounts {
    ticket: Option<TicketState>,
    payment: Option<PaymentState>,
    cook: Option<CookState>,
    delivery: Option<DeliveryState>,
    ledger: Vec<(Entry, i64)>,
}

pub(crate) fn at_rest(city: &City) -> Result<Vec<End>, String> {
    if let Some(missing) = city.witness.missing() {
        return Err(missing);
    }
    if let Some(order) = city.views.went_back {
        return Err(format!("the view of {order} went back to a lower version"));
    }
    if city.placed.len() != city.plan.stories.len() {
        return Err("an order was never placed".to_owned());
    }
    let fold = city.views.fold(city.broker.everything());
    if fold.map_err(|fault| fault.to_string())? != city.views.views {
        return Err("the view is not what the topics tell".to_owned());
    }
    let orders = city.orders.ids();
    orders.into_iter().map(|order| judge(city, order)).collect()
}

fn judge(city: &City, id: OrderId) -> Result<End, String> {
    let (Some(order), Some(saga)) = (city.orders.order(id), city.orders.saga(id)) else {
        return Err(format!("order {id} is gone"));
    };
    let (state, step) = (saga.state, &saga.step);
    if saga.is_alive() {
        return Err(format!(
            "order {id} is {}, its saga {state} at {step:?}",
            order.state
        ));
    }
    let accounts = accounts(city, id);
    let refunds = city.refunds.get(&id).copied();
    agrees(order.state, refunds, &accounts)
        .map_err(|what| format!("order {id} is {}: {what}: {accounts:?}", order.state))?;
    tells(city, id, order.state, &accounts)?;
    let story = &city.plan.stories[city.placed.get(&id).copied().unwrap_or_default()];
    let end = end(city, id);
    explains(story, &end).map_err(|what| format!("order {id} ended as {end:?}: {what}"))?;
    if city.plan.everybody_answers() {
        let no_answer = end.rejected_for == Some(Code::NO_ANSWER);
        if no_answer || end.was_stuck {
            return Err(format!(
                "order {id} met silence, and everybody answered: {end:?}"
            ));
        }
    }
    match state {
        State::Completed if order.state == OrderState::Complete => Ok(end),
        State::RolledBack if order.state != OrderState::Complete => Ok(end),
        _ => Err(format!("order {id} is {}, its saga {state}", order.state)),
    }
}

fn end(city: &City, id: OrderId) -> End {
    let records = city.orders.records(id);
    let has = |what| records.iter().any(|record| record.what == what);
    let order = city.orders.order(id);
    let rejection = order.and_then(|order| order.rejection.as_ref());
    End {
        state: order.map_or(OrderState::Pending, |order| order.state),
        version: city.orders.saga(id).map_or(0, |saga| saga.version),
        rejected_for: rejection.map(|rejection| rejection.reason.code.clone()),
        cancels: city.cancels.get(&id).copied().unwrap_or_default(),
        cancel_met: records
            .iter()
            .find(|record| record.what == saga::What::CancelAsked)
            .map(|record| record.step.clone()),
        cancelled_too_late: has(saga::What::CancelRefused),
        refunded: city.refunds.get(&id).is_some_and(|opened| *opened > 0),
        asked_again: has(saga::What::Resent),
        was_stuck: has(saga::What::Stuck),
    }
}

fn accounts(city: &City, id: OrderId) -> Accounts {
    let ledger = city.network.ledger(id);
    Accounts {
        ticket: city.restaurants.tickets.get(&id).map(|ticket| ticket.state),
        payment: city.payments.payments.get(&id).map(|payment| payment.state),
        cook: city.kitchens.cooks.get(&id).map(|cook| cook.state),
        delivery: city
            .deliveries
            .deliveries
            .get(&id)
            .map(|delivery| delivery.state),
        ledger: ledger
            .iter()
            .map(|line| (line.entry, line.amount))
            .collect(),
    }
}

/// Whether what everybody says fits to the order, and the money was moved as it should be, once. Where somebody has asked for
/// a refund, one was opened.
fn agrees(
    order: OrderState,
    refunds: Option<usize>,
    accounts: &Accounts,
) -> Result<(), &'static str> {
    let held_and = |entry| vec![(Entry::Hold, PRICE), (entry, PRICE)];
    let (paid, given_back) = match refunds {
        None => (PaymentState::Captured, None),
        Some(_) => (PaymentState::Refunded, Some((Entry::Refund, PRICE))),
    };
    let moved: Vec<_> = held_and(Entry::Charge)
        .into_iter()
        .chain(given_back)
        .collect();
    let nothing_moved = accounts.ledger.is_empty()
        || accounts.ledger == vec![(Entry::Decline, PRICE)]
        || accounts.ledger == held_and(Entry::Void);
    let nothing_held = nothing_moved
        && matches!(
            accounts.payment,
            None | Some(PaymentState::Declined | PaymentState::Voided)
        );
    let rules = match order {
        OrderState::Complete => [
            (
                accounts.ticket == Some(TicketState::Complete),
                "the ticket is not COMPLETE",
            ),
            (
                accounts.payment == Some(paid) && refunds.is_none_or(|opened| opened == 1),
                "the payment is not CAPTURED, or REFUNDED where somebody wanted that",
            ),
            (
                accounts.ledger == moved,
                "it was not held and charged once, and given back where that was wanted",
            ),
            (accounts.cook == Some(CookState::Ready), "nobody cooked it"),
            (
                accounts.delivery == Some(DeliveryState::Complete),
                "nobody delivered it",
            ),
        ],
        OrderState::Rejected | OrderState::Cancelled => [
            (nothing_held, "money is held or taken"),
            (
                match order {
                    // One that nobody heard of in time is withdrawn where it is known.
                    OrderState::Rejected => {
                        matches!(accounts.ticket, None | Some(TicketState::Rejected))
                    }
                    _ => matches!(
                        accounts.ticket,
                        None | Some(TicketState::Cancelled | TicketState::Rejected)
                    ),
                },
                "the ticket is not withdrawn",
            ),
            (accounts.cook != Some(CookState::Ready), "it was cooked"),
            (
                accounts.cook != Some(CookState::Preparing),
                "somebody is cooking it",
            ),
            (accounts.delivery.is_none(), "somebody delivers it"),
        ],
        _ => [(false, "that is no end"); 5],
    };
    let broken = rules.into_iter().find(|(holds, _)| !holds);
    broken.map_or(Ok(()), |(_, what)| Err(what))
}

/// Whether the view tells what the owners say.
fn tells(city: &City, id: OrderId, order: OrderState, accounts: &Accounts) -> Result<(), String> {
    let view = city.views.views.get(&id);
    let view = view.ok_or_else(|| format!("the view does not know order {id}"))?;
    let told = (
        view.order.told().map(|told| told.state),
        view.ticket.told().map(|told| told.state),
        view.payment.told().map(|told| told.state),
        view.kitchen.told().map(|told| told.state),
    );
    let true_words = (
        Some(order),
        accounts.ticket,
        accounts.payment,
        accounts.cook,
    );
    match told == true_words {
        true => Ok(()),
        false => Err(format!(
            "the view of {id} tells {told:?}, and it is {true_words:?}"
        )),
    }
}

/// Whether the story of an order explains its end.
fn explains(story: &Story, end: &End) -> Result<(), &'static str> {
    let may_be_taken = story.customer_is_active
        && story.dish_is_available
        && story.card == gateway_simulator::domain::Behaviour::Approves;
    match end.state {
        _ if end.version != story.version => Err("it did not stay on its definition"),
        _ if end.refunded && story.refunds.is_empty() => Err("nobody wanted the money back"),
        OrderState::Complete if !may_be_taken => Err("it should have been refused"),
        OrderState::Cancelled if story.cancels.is_empty() && story.sent_back.is_none() => {
            Err("nobody wanted that")
        }
        OrderState::Rejected
            if may_be_taken
                && !matches!(&end.rejected_for, Some(code) if [Code::NO_ANSWER, Code::SENT_BACK].contains(code)) =>
        {
            Err("nobody had a reason to refuse it")
        }
        OrderState::Rejected
            if end.rejected_for == Some(Code::SENT_BACK) && story.sent_back.is_none() =>
        {
            Err("no operator sent it back")
        }
        _ => Ok(()),
    }
}
