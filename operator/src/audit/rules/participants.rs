//! Customer, ticket, kitchen and delivery have done for the order what its state says.
//!
//! What an order that has ended, or waits for a person, was promised, was done before: that holds at every moment. What a
//! cook or courier has just done reaches the order a moment later: that holds at rest.

use contracts::{
    CookState, DeliveryState, Machine,
    OrderState::{self, *},
    Party, TicketState,
};

use super::{Findings, one_of, word};
use crate::audit::{
    facts::{Facts, Order},
    finding::{Holds, Rule, Subject},
};

const CUSTOMER_MATCHES: Rule = Rule {
    name: "customer-matches",
    about: Subject::Customer,
    holds: Holds::Always,
    next: "customer-service keeps one verdict for each order: GET /orders/{id}/saga has what was answered",
};

const TICKET_MATCHES: Rule = Rule {
    name: "ticket-matches",
    about: Subject::Ticket,
    holds: Holds::Always,
    next: "the restaurant answered before the order went on: compare the saga's history with the ticket; somebody changed a row by hand, or this is a bug",
};

const KITCHEN_MATCHES: Rule = Rule {
    name: "kitchen-matches",
    about: Subject::Kitchen,
    holds: Holds::Always,
    next: "the kitchen answered before the order went on: compare the saga's history with the kitchen; call the kitchen if something is cooked for nobody",
};

const KITCHEN_HEARD: Rule = Rule {
    name: "kitchen-heard",
    about: Subject::Order,
    holds: Holds::AtRest,
    next: "KITCHEN_READY did not reach the order: look for it on order-reply; POST /sagas/{id}/interventions with SKIP of `cooked` goes on without it",
};

const DELIVERY_MATCHES: Rule = Rule {
    name: "delivery-matches",
    about: Subject::Delivery,
    holds: Holds::Always,
    next: "compare the saga's history with the delivery; call the courier if something is carried to nobody",
};

const DELIVERY_HEARD: Rule = Rule {
    name: "delivery-heard",
    about: Subject::Order,
    holds: Holds::AtRest,
    next: "what the courier did did not reach the order: look for it on order-reply; POST /sagas/{id}/interventions with SKIP goes on without it",
};

const DELIVERY_MADE: Rule = Rule {
    name: "delivery-made",
    about: Subject::Delivery,
    holds: Holds::AtRest,
    next: "KITCHEN_READY did not reach delivery-service, so no courier comes: look for it on order-reply",
};

const SAME_DEAL: Rule = Rule {
    name: "same-deal",
    about: Subject::Order,
    holds: Holds::Always,
    next: "everybody must speak of the same customer, restaurant and dishes: somebody changed a row by hand, or this is a bug",
};

pub(super) const RULES: &[&Rule] = &[
    &CUSTOMER_MATCHES,
    &TICKET_MATCHES,
    &KITCHEN_MATCHES,
    &KITCHEN_HEARD,
    &DELIVERY_MATCHES,
    &DELIVERY_HEARD,
    &DELIVERY_MADE,
    &SAME_DEAL,
];

pub(super) fn judge(findings: &mut Findings<'_>) {
    let facts = findings.facts;
    if let Some(order) = facts.settled() {
        customer(findings, facts, order);
        ticket(findings, facts, order);
        kitchen(findings, facts, order);
        delivery(findings, facts, order);
    }
    handed_over(findings, facts);
    same_deal(findings, facts);
}

fn customer(findings: &mut Findings<'_>, facts: &Facts, order: &Order) {
    let expected = match (order.state, order.rejected_by) {
        (Preparing | Ready | Pickedup | Complete, _) => "APPROVED",
        (Rejected, Some(Party::Customer)) => "REJECTED",
        _ => return,
    };
    let found = facts.verification.as_ref().map(|it| it.state.as_str());
    findings.expect(
        !facts.asked.customers || found == Some(expected),
        &CUSTOMER_MATCHES,
        about(expected, order.state),
        word(found),
    );
}

fn ticket(findings: &mut Findings<'_>, facts: &Facts, order: &Order) {
    let allowed: &[TicketState] = match order.state {
        Preparing => &[TicketState::Preparing],
        Ready => &[TicketState::Ready],
        Pickedup => &[TicketState::Pickedup],
        Complete => &[TicketState::Complete],
        Rejected => &[TicketState::Rejected],
        // It may have been refused while the cancellation was waiting for its turn.
        Cancelled => &[TicketState::Cancelled, TicketState::Rejected],
        Pending | Accepted | CancelPending => return,
    };
    let found = facts.ticket.as_ref().map(|ticket| ticket.state);
    let may_be_missing = matches!(order.state, Rejected | Cancelled);
    findings.expect(
        !facts.asked.restaurants || allows(allowed, may_be_missing, found),
        &TICKET_MATCHES,
        about(&one_of(allowed), order.state),
        word(found),
    );
}

fn kitchen(findings: &mut Findings<'_>, facts: &Facts, order: &Order) {
    let allowed: &[CookState] = match order.state {
        Preparing => &[CookState::Preparing, CookState::Ready],
        Ready | Pickedup | Complete => &[CookState::Ready],
        Cancelled => &[CookState::Cancelled],
        Rejected => &[],
        Pending | Accepted | CancelPending => return,
    };
    let found = facts.cook.as_ref().map(|cook| cook.state);
    let may_be_missing = matches!(order.state, Rejected | Cancelled);
    findings.expect(
        !facts.asked.kitchens || allows(allowed, may_be_missing, found),
        &KITCHEN_MATCHES,
        about(&one_of(allowed), order.state),
        word(found),
    );
    findings.expect(
        (order.state, found) != (Preparing, Some(CookState::Ready)),
        &KITCHEN_HEARD,
        "an order that knows that it is cooked",
        "the kitchen is READY, and the order waits for it",
    );
}

fn delivery(findings: &mut Findings<'_>, facts: &Facts, order: &Order) {
    if !facts.asked.deliveries {
        return;
    }
    let found = facts.delivery.as_ref().map(|delivery| delivery.state);
    let milestone = match order.state {
        Pickedup => Some(DeliveryState::Pickedup),
        Complete => Some(DeliveryState::Complete),
        _ => None,
    };
    if let Some(milestone) = milestone {
        findings.expect(
            found.is_some_and(|state| state.has_reached(milestone)),
            &DELIVERY_MATCHES,
            about(milestone.word(), order.state),
            word(found),
        );
    }
    if matches!(order.state, Rejected | Cancelled) {
        findings.expect(
            found.is_none(),
            &DELIVERY_MATCHES,
            about("no delivery", order.state),
            word(found),
        );
    }
    let ahead = match order.state {
        Ready => found.is_some_and(|state| state.has_reached(DeliveryState::Pickedup)),
        Pickedup => found == Some(DeliveryState::Complete),
        _ => false,
    };
    findings.expect(
        !ahead,
        &DELIVERY_HEARD,
        "an order that knows how far its delivery is",
        format_args!("the delivery is {}, the order {}", word(found), order.state),
    );
}

/// Between kitchen and couriers nobody stands, also when the saga is at something else.
fn handed_over(findings: &mut Findings<'_>, facts: &Facts) {
    if !(facts.asked.kitchens && facts.asked.deliveries) {
        return;
    }
    let cook = facts.cook.as_ref().map(|cook| cook.state);
    match (&facts.delivery, cook) {
        (None, Some(CookState::Ready)) => findings.add(
            &DELIVERY_MADE,
            "a delivery of what is cooked",
            "the kitchen is READY, and there is no delivery",
        ),
        (Some(delivery), cook) if cook != Some(CookState::Ready) => findings.add(
            &DELIVERY_MATCHES,
            "a delivery of nothing but what is cooked",
            format_args!("delivery {}, kitchen {}", delivery.state, word(cook)),
        ),
        _ => {}
    }
}

fn same_deal(findings: &mut Findings<'_>, facts: &Facts) {
    let Some(order) = &facts.order else { return };
    let mut differ = |who: &str, same: bool| {
        findings.expect(same, &SAME_DEAL, "the order's own", who);
    };
    if let Some(verification) = &facts.verification {
        differ(
            "another customer was verified",
            verification.customer_id == order.customer_id,
        );
    }
    if let Some(ticket) = &facts.ticket {
        differ(
            "the ticket is another restaurant's",
            ticket.restaurant_id == order.restaurant_id,
        );
        differ(
            "another ticket than the one that the order knows",
            order.ticket_id.is_none_or(|id| id == ticket.ticket_id),
        );
        // A refused ticket prices nothing.
        let priced = ticket
            .items
            .iter()
            .map(|item| (item.menu_item_id, item.quantity));
        let ordered = order
            .items
            .iter()
            .map(|item| (item.menu_item_id, item.quantity));
        differ(
            "the ticket is for other dishes",
            ticket.items.is_empty() && ticket.total.is_none() || priced.eq(ordered),
        );
    }
    if let Some(payment) = &facts.payment {
        differ(
            "another customer pays, or with another card",
            payment.customer_id.is_none_or(|id| id == order.customer_id)
                && payment
                    .payment_method_id
                    .is_none_or(|id| id == order.payment_method_id),
        );
    }
    if let Some(cook) = &facts.cook {
        // A tombstone knows neither.
        differ(
            "another restaurant cooks, or other dishes",
            cook.restaurant_id
                .is_none_or(|id| id == order.restaurant_id && cook.items == order.items),
        );
    }
    if let Some(delivery) = &facts.delivery {
        differ(
            "it is fetched from another restaurant",
            delivery
                .restaurant_id
                .is_none_or(|id| id == order.restaurant_id),
        );
    }
}

fn allows<S: Machine>(allowed: &[S], may_be_missing: bool, found: Option<S>) -> bool {
    found.map_or(may_be_missing, |state| allowed.contains(&state))
}

fn about(expected: &str, order: OrderState) -> String {
    let expected = if expected.is_empty() {
        "nothing"
    } else {
        expected
    };
    format!("{expected}, since the order is {order}")
}

#[cfg(test)]
mod tests {
    use contracts::RestaurantId;
    use saga::State;
    use uuid::Uuid;

    use super::*;
    use crate::audit::rules::{Example, complete};

    #[test]
    fn a_customer_who_was_refused_gets_nothing() {
        complete()
            .wrong("customer-matches", |facts| facts.verification = None)
            .wrong("customer-matches", |facts| {
                facts.verification.as_mut().unwrap().state = "REJECTED".to_owned();
            })
            .tolerates(|facts| {
                facts.verification = None;
                facts.asked.customers = false;
            });
        Example::rejected()
            .and(|facts| facts.order.as_mut().unwrap().rejected_by = Some(Party::Customer))
            .finds("customer-matches");
    }

    #[test]
    fn a_ticket_is_where_the_order_is() {
        complete()
            .wrong("ticket-matches", |facts| facts.ticket = None)
            .wrong("ticket-matches", |facts| {
                facts.ticket.as_mut().unwrap().state = TicketState::Ready;
            });
        Example::rejected()
            .wrong("ticket-matches", |facts| {
                facts.ticket.as_mut().unwrap().state = TicketState::Pending;
            })
            .tolerates(|facts| {
                facts.ticket = None;
                facts.view = None;
                facts.asked.views = false;
            });
        Example::cancelled().wrong("ticket-matches", |facts| {
            facts.ticket.as_mut().unwrap().state = TicketState::Accepted;
        });
    }

    #[test]
    fn nobody_cooks_for_an_order_that_is_off_and_what_is_delivered_was_cooked() {
        complete()
            .wrong("kitchen-matches", |facts| facts.cook = None)
            .wrong("kitchen-matches", |facts| {
                facts.cook.as_mut().unwrap().state = CookState::Preparing;
            });
        Example::cancelled().wrong("kitchen-matches", |facts| {
            facts.cook.as_mut().unwrap().state = CookState::Preparing;
        });
        let cook = complete().facts().cook.clone();
        Example::rejected().wrong("kitchen-matches", |facts| facts.cook = cook.clone());
    }

    #[test]
    fn what_the_kitchen_says_reaches_the_order_and_the_couriers() {
        let waiting = Example::at("cooked", State::Waiting, Preparing);
        waiting.wrong("kitchen-heard", |facts| {
            facts.cook.as_mut().unwrap().state = CookState::Ready;
        });
        complete().wrong("delivery-made", |facts| facts.delivery = None);
        // The saga is still at the capture: the couriers hear of it all the same.
        Example::at("capture payment", State::Forward, Preparing)
            .and(|facts| facts.cook.as_mut().unwrap().state = CookState::Ready)
            .finds("delivery-made");
    }

    #[test]
    fn a_delivery_is_as_far_as_the_order_and_its_news_arrives() {
        complete().wrong("delivery-matches", |facts| {
            facts.delivery.as_mut().unwrap().state = DeliveryState::Pickedup;
        });
        Example::at("picked up", State::Waiting, Ready).wrong("delivery-heard", |facts| {
            facts.delivery.as_mut().unwrap().state = DeliveryState::Pickedup;
        });
        Example::at("delivered", State::Waiting, Pickedup).wrong("delivery-heard", |facts| {
            facts.delivery.as_mut().unwrap().state = DeliveryState::Complete;
        });
        let delivery = complete().facts().delivery.clone();
        Example::cancelled().wrong("delivery-matches", |facts| {
            facts.delivery = delivery.clone();
        });
    }

    #[test]
    fn everybody_speaks_of_the_same_deal() {
        let other = RestaurantId::new(Uuid::from_u128(99));
        complete()
            .wrong("same-deal", |facts| {
                facts.verification.as_mut().unwrap().customer_id = Uuid::from_u128(99).into();
            })
            .wrong("same-deal", |facts| {
                facts.ticket.as_mut().unwrap().restaurant_id = other;
            })
            .wrong("same-deal", |facts| {
                facts.ticket.as_mut().unwrap().ticket_id = Uuid::from_u128(99).into();
            })
            .wrong("same-deal", |facts| {
                facts.ticket.as_mut().unwrap().items.clear();
            })
            .wrong("same-deal", |facts| {
                facts.payment.as_mut().unwrap().payment_method_id =
                    Some(Uuid::from_u128(99).into());
            })
            .wrong("same-deal", |facts| {
                facts.cook.as_mut().unwrap().items.clear();
            })
            .wrong("same-deal", |facts| {
                facts.delivery.as_mut().unwrap().restaurant_id = Some(other);
            });
    }
}
