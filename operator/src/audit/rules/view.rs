//! The view is what the owners have said: per aggregate the highest version, nothing that nobody said.

use contracts::{DeliveryState, PaymentState};

use super::Findings;
use crate::audit::finding::{Holds, Rule, Subject};

const VIEW_BEHIND: Rule = Rule {
    name: "view-behind",
    about: Subject::View,
    holds: Holds::AtRest,
    next: "is the message on its topic? then order-view has lost it: have the view rebuilt; if not, message-relay has",
};

const VIEW_AHEAD: Rule = Rule {
    name: "view-ahead",
    about: Subject::View,
    holds: Holds::Always,
    next: "the view knows what its owner does not: was the owner's database restored from an older copy?",
};

const VIEW_DIFFERS: Rule = Rule {
    name: "view-differs",
    about: Subject::View,
    holds: Holds::Always,
    next: "somebody changed a row of the view by hand, or the owner's: have the view rebuilt",
};

/// Judged where the topics are folded.
pub(crate) const FOLD: Rule = Rule {
    name: "view-fold",
    about: Subject::View,
    holds: Holds::AtRest,
    next: "the view is not what the topics say: have it rebuilt, and keep the row before that: it shows what went wrong",
};

pub(super) const RULES: &[&Rule] = &[&VIEW_BEHIND, &VIEW_AHEAD, &VIEW_DIFFERS, &FOLD];

pub(super) fn judge(findings: &mut Findings<'_>) {
    let facts = findings.facts;
    if !facts.asked.views {
        return;
    }
    let view = facts.view.as_ref();
    macro_rules! aggregate {
        ($name:literal, $asked:expr, $field:ident, $owner:expr) => {
            if $asked {
                let said = $owner;
                let seen = view.map_or((0, None), |view| {
                    let told = view.$field.told().map(|told| told.state.as_str());
                    (view.$field.version(), told)
                });
                compare(findings, $name, said, seen);
            }
        };
    }
    aggregate!(
        "order",
        true,
        order,
        facts
            .order
            .as_ref()
            .map_or((0, None), |it| (it.version, Some(it.state.as_str())))
    );
    aggregate!(
        "ticket",
        facts.asked.restaurants,
        ticket,
        facts
            .ticket
            .as_ref()
            .map_or((0, None), |it| (it.version, Some(it.state.as_str())))
    );
    // The intent to authorise, and that a delivery waits for a courier, are nobody's news.
    aggregate!(
        "payment",
        facts.asked.payments,
        payment,
        facts
            .payment
            .as_ref()
            .filter(|it| it.state != PaymentState::Authorising)
            .map_or((0, None), |it| (it.version, Some(it.state.as_str())))
    );
    aggregate!(
        "kitchen",
        facts.asked.kitchens,
        kitchen,
        facts
            .cook
            .as_ref()
            .map_or((0, None), |it| (it.version, Some(it.state.as_str())))
    );
    aggregate!(
        "delivery",
        facts.asked.deliveries,
        delivery,
        facts
            .delivery
            .as_ref()
            .filter(|it| it.state != DeliveryState::Ready)
            .map_or((0, None), |it| (it.version, Some(it.state.as_str())))
    );
    let (Some(order), Some(view)) = (&facts.order, view) else {
        return;
    };
    let known = &view.facts;
    let same = known.customer_id.is_none_or(|it| it == order.customer_id)
        && known
            .restaurant_id
            .is_none_or(|it| it == order.restaurant_id)
        && known.items.as_ref().is_none_or(|it| *it == order.items)
        && known
            .total
            .zip(order.total)
            .is_none_or(|(seen, own)| seen == own)
        && known
            .ticket_id
            .zip(order.ticket_id)
            .is_none_or(|(seen, own)| seen == own);
    findings.expect(
        same,
        &VIEW_DIFFERS,
        "the order's customer, restaurant, dishes, ticket and total",
        "others in the view",
    );
}

/// A version, and the state that it told.
type Version = (i64, Option<&'static str>);

fn compare(findings: &mut Findings<'_>, name: &str, said: Version, seen: Version) {
    let told = |(version, state): Version| match state {
        Some(state) => format!("{name} {state}, version {version}"),
        None => format!("no {name}"),
    };
    let rule = match seen.0.cmp(&said.0) {
        std::cmp::Ordering::Less => &VIEW_BEHIND,
        std::cmp::Ordering::Greater => &VIEW_AHEAD,
        std::cmp::Ordering::Equal if seen.1 != said.1 => &VIEW_DIFFERS,
        std::cmp::Ordering::Equal => return,
    };
    findings.add(rule, told(said), told(seen));
}

#[cfg(test)]
mod tests {
    use contracts::OrderState;
    use order_view::domain::Latest;
    use uuid::Uuid;

    use crate::audit::rules::complete;

    #[test]
    fn the_view_has_the_highest_version_of_each() {
        complete()
            .wrong("view-behind", |facts| facts.view = None)
            .wrong("view-behind", |facts| {
                facts.order.as_mut().unwrap().version += 1;
            })
            .wrong("view-behind", |facts| {
                facts.cook.as_mut().unwrap().version += 1;
            })
            .wrong("view-ahead", |facts| {
                facts.ticket.as_mut().unwrap().version -= 1;
            })
            .wrong("view-ahead", |facts| {
                facts.delivery.as_mut().unwrap().version -= 1;
            })
            .tolerates(|facts| {
                facts.view = None;
                facts.asked.views = false;
            });
    }

    #[test]
    fn the_view_says_nothing_else_than_its_owners() {
        complete()
            .wrong("view-differs", |facts| {
                let view = facts.view.as_mut().unwrap();
                let mut told = view.order.told().unwrap().clone();
                told.state = OrderState::Ready;
                view.order = Latest::new(view.order.version(), told);
            })
            .wrong("view-differs", |facts| {
                let view = facts.view.as_mut().unwrap();
                view.facts.customer_id = Some(Uuid::from_u128(99).into());
            });
    }

    #[test]
    fn what_is_nobodys_news_is_not_missed() {
        use contracts::DeliveryState;
        use saga::State;
        let waiting =
            crate::audit::rules::Example::at("picked up", State::Waiting, OrderState::Ready);
        let delivery = waiting.facts().delivery.as_ref().unwrap();
        assert_eq!(delivery.state, DeliveryState::Ready);
        waiting.right();
    }
}
