//! The saga's protocol.

use models::saga_protocol::{Flaw, Protocol};

use crate::checked::{breaks, exhaustively, has_no_circle};

#[test]
fn a_saga_keeps_its_promises_in_every_state() {
    exhaustively("saga-protocol", Protocol::new(3, 0).unwrap());
}

#[test]
fn a_saga_that_an_operator_helps_keeps_its_promises_in_every_state() {
    let operated = Protocol::new(3, 3).unwrap();
    exhaustively("saga-protocol with an operator", operated);
}

#[test]
fn no_saga_runs_in_a_circle() {
    has_no_circle(
        "saga-protocol with an operator",
        &Protocol::new(3, 3).unwrap(),
    );
}

#[test]
fn without_tombstones_a_late_authorisation_strands_a_hold() {
    flawed(Flaw::NoTombstones, "nothing is left held or booked");
}

#[test]
fn a_participant_that_does_again_what_it_hears_again_holds_money_twice() {
    flawed(Flaw::NoDeduplication, "nothing is done twice");
}

#[test]
fn a_pivot_without_an_undo_leaves_the_money_held() {
    flawed(Flaw::NoCompensation, "nothing is left held or booked");
}

#[test]
fn an_orchestrator_that_looks_at_kinds_only_takes_a_refusal_for_the_word_that_it_was_undone() {
    flawed(
        Flaw::AnyReplyOfTheKind,
        "an end has the word of all whom it needed",
    );
}

#[test]
fn an_operator_who_says_that_it_was_undone_answers_for_it() {
    flawed(Flaw::CarelessOperator, "nothing is left held or booked");
}

#[test]
fn an_operator_who_answers_for_the_arbiter_answers_for_what_he_does() {
    flawed(
        Flaw::CarelessOperator,
        "who is refused a cancellation goes on",
    );
}

fn flawed(flaw: Flaw, property: &'static str) {
    breaks(
        &format!("saga-protocol with {flaw:?}"),
        Protocol::flawed(flaw).unwrap(),
        property,
    );
}
