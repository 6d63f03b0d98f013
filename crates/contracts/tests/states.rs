//! Every pair of states of every machine, against the diagram as it was agreed, and the page that
//! shows it.

#![expect(
    clippy::expect_used,
    reason = "what a test's helper cannot do fails the test"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use contracts::{CookState, DeliveryState, Machine, OrderState, PaymentState, TicketState};

/// Every machine's diagram as text, one step per line: what was agreed, written independently of
/// the tables in the code.
const ORDER: &str = "
    PENDING ACCEPTED, ACCEPTED PREPARING, PREPARING READY, READY PICKEDUP, PICKEDUP COMPLETE,
    PENDING REJECTED,
    PENDING CANCEL_PENDING, ACCEPTED CANCEL_PENDING, PREPARING CANCEL_PENDING,
    CANCEL_PENDING CANCELLED,
    CANCEL_PENDING PENDING, CANCEL_PENDING ACCEPTED, CANCEL_PENDING PREPARING";
const TICKET: &str = "
    PENDING ACCEPTED, ACCEPTED PREPARING, PREPARING READY, READY PICKEDUP, PICKEDUP COMPLETE,
    PENDING REJECTED, PENDING CANCELLED, ACCEPTED CANCELLED, PREPARING CANCELLED";
const PAYMENT: &str = "
    AUTHORISING AUTHORISED, AUTHORISED CAPTURED, CAPTURED REFUNDED, AUTHORISING DECLINED,
    AUTHORISING VOIDED, AUTHORISED VOIDED";
const COOK: &str = "PREPARING READY, PREPARING CANCELLED";
const DELIVERY: &str = "READY PICKEDUP, PICKEDUP COMPLETE";

fn agreed(steps: &str) -> BTreeSet<(&str, &str)> {
    steps
        .split(',')
        .map(|pair| pair.trim().split_once(' ').expect("two states"))
        .collect()
}

/// Tries every pair of states, and that errors name both.
fn check<M: Machine>(steps: &str, first: &[&str], last: &[&str]) {
    let agreed = agreed(steps);
    for &from in M::all() {
        for &to in M::all() {
            let legal = agreed.contains(&(from.word(), to.word()));
            assert_eq!(from.may_move_to(to), legal, "{from:?} {to:?}");
            match from.move_to(to) {
                Ok(state) => assert!(legal && state == to),
                Err(error) => {
                    let expected = (M::AGGREGATE, from.word(), to.word());
                    assert!(!legal);
                    assert_eq!((error.aggregate, error.from, error.to), expected);
                }
            }
        }
        assert_eq!(
            from.begin().is_ok(),
            first.contains(&from.word()),
            "{from:?}"
        );
        assert_eq!(from.is_final(), last.contains(&from.word()), "{from:?}");
    }
    assert_eq!(
        M::transitions().len(),
        agreed.len(),
        "a step stands in the table twice"
    );
}

#[test]
fn an_order_takes_the_agreed_steps_and_no_other() {
    check::<OrderState>(ORDER, &["PENDING"], &["COMPLETE", "REJECTED", "CANCELLED"]);
}

#[test]
fn a_ticket_takes_the_agreed_steps_and_no_other() {
    check::<TicketState>(TICKET, &["PENDING"], &["COMPLETE", "REJECTED", "CANCELLED"]);
}

#[test]
fn a_payment_takes_the_agreed_steps_and_no_other() {
    check::<PaymentState>(
        PAYMENT,
        &["AUTHORISING"],
        &["REFUNDED", "DECLINED", "VOIDED"],
    );
}

#[test]
fn a_cook_takes_the_agreed_steps_and_no_other() {
    check::<CookState>(COOK, &["PREPARING", "CANCELLED"], &["READY", "CANCELLED"]);
}

#[test]
fn a_delivery_takes_the_agreed_steps_and_no_other() {
    check::<DeliveryState>(DELIVERY, &["READY"], &["COMPLETE"]);
}

#[test]
fn a_state_has_reached_itself_and_what_lies_before_it() {
    let [ready, pickedup, complete] = [
        DeliveryState::Ready,
        DeliveryState::Pickedup,
        DeliveryState::Complete,
    ];
    assert!(pickedup.has_reached(ready) && pickedup.has_reached(pickedup));
    assert!(complete.has_reached(pickedup));
    assert!(!ready.has_reached(pickedup));
    assert!(!CookState::Cancelled.has_reached(CookState::Ready));
}

#[test]
fn an_illegal_step_says_what_was_tried() {
    let error = OrderState::Complete
        .move_to(OrderState::Pending)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "order cannot go from COMPLETE to PENDING"
    );
    let error = CookState::Ready.begin().unwrap_err();
    assert_eq!(
        error.to_string(),
        "kitchen cannot go from (nothing) to READY"
    );
}

#[test]
fn the_page_of_diagrams_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/states.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("docs/");
        std::fs::write(&path, &page).expect("docs/states.md");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(stored, page, "run: UPDATE_DOCS=1 cargo test -p contracts");
}

fn page() -> String {
    let mut page = String::from(
        "# The states of every aggregate\n\n\
         Written by a test of `crates/contracts` from the tables that the services run on: do not \
         edit, run `UPDATE_DOCS=1 cargo test -p contracts`.\n",
    );
    for (name, diagram) in [
        (OrderState::AGGREGATE, OrderState::diagram()),
        (TicketState::AGGREGATE, TicketState::diagram()),
        (PaymentState::AGGREGATE, PaymentState::diagram()),
        (CookState::AGGREGATE, CookState::diagram()),
        (DeliveryState::AGGREGATE, DeliveryState::diagram()),
    ] {
        write!(page, "\n## {name}\n\n```mermaid\n{diagram}```\n").expect("a string");
    }
    page
}
