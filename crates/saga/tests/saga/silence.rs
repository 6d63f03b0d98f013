//! A command that nobody answers.

use saga::{Effect, Input, State, Verdict, What};
use uuid::Uuid;

use crate::trip::Run;

#[test]
fn a_silent_command_is_sent_again_with_the_same_id() {
    let mut run = Run::new();
    let command = run.awaited();
    let outcome = run.silence();
    assert_eq!(outcome.effects, [Effect::Again(command)]);
    assert_eq!(outcome.records[0].what, What::Resent);
    assert_eq!(
        run.instance.awaited.as_ref().map(|awaited| awaited.attempt),
        Some(2)
    );
    assert_eq!(run.answer("BOOKED").verdict, Verdict::Applied);
}

#[test]
fn patience_grows_with_each_attempt() {
    let mut run = Run::new();
    let first = run.definition.patience(&run.instance).unwrap();
    run.silence();
    assert_eq!(run.definition.patience(&run.instance), Some(first * 2));
}

#[test]
fn the_silence_of_a_command_that_is_not_awaited_changes_nothing() {
    let mut run = Run::new();
    let before = run.instance.clone();
    let outcome = run
        .apply(Input::Silence {
            command: Uuid::from_u128(999),
        })
        .unwrap();
    assert_eq!((outcome.verdict, outcome.records), (Verdict::Stale, vec![]));
    assert_eq!(run.instance, before);
}

#[test]
fn a_pivot_that_stays_silent_is_undone_first() {
    let mut run = Run::up_to("money");
    for _ in 0..3 {
        run.silence();
    }
    assert_eq!(run.instance.state, State::Backward);
    assert_eq!(
        run.definition.remaining(&run.instance),
        ["money", "room", "flight"]
    );
    run.finish();
    assert_eq!(run.instance.state, State::RolledBack);
    assert_eq!(run.kinds()[4..], ["REFUND", "RELEASE", "UNBOOK", "CHANGED"]);
}

#[test]
fn an_answer_that_comes_after_the_saga_has_turned_back_is_stale() {
    let mut run = Run::up_to("money");
    let pay = run.awaited();
    for _ in 0..3 {
        run.silence();
    }
    assert_eq!(
        run.hear(Some(pay), "PAID", "late").unwrap().verdict,
        Verdict::Stale
    );
    assert_eq!(run.trip.state, "");
}

#[test]
fn a_step_behind_the_pivot_that_stays_silent_is_stuck_until_it_is_answered() {
    let mut run = Run::up_to("ticket");
    for _ in 0..3 {
        run.silence();
    }
    assert_eq!(run.instance.state, State::Stuck);
    assert_eq!(run.definition.patience(&run.instance), None);
    let command = run.awaited();
    assert_eq!(
        run.apply(Input::Silence { command }).unwrap().verdict,
        Verdict::Stale
    );
    run.answer("PRINTED");
    assert_eq!(run.instance.state, State::Waiting);
}

#[test]
fn an_undo_that_stays_silent_is_stuck_until_it_is_answered() {
    let mut run = Run::up_to("room");
    run.answer("NO_ROOM");
    for _ in 0..3 {
        run.silence();
    }
    assert_eq!(run.instance.state, State::Stuck);
    assert!(run.instance.is_going_back());
    run.answer("UNBOOKED");
    assert_eq!(run.instance.state, State::RolledBack);
}
