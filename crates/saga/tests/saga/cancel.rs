//! Somebody does not want it any more, at every moment that there is.

use saga::{Refusal, State, Verdict, What};

use crate::trip::{Run, declared};

/// The kinds that were said since.
fn said_since(run: &Run, before: usize) -> Vec<&str> {
    run.kinds()[before..].to_vec()
}

#[test]
fn before_the_arbiter_was_told_the_saga_goes_back_at_the_next_answer() {
    let undos = [
        ("flight", vec!["CHANGED", "UNBOOK", "CHANGED"]),
        ("passport", vec!["CHANGED", "UNBOOK", "CHANGED"]),
        ("room", vec!["CHANGED", "RELEASE", "UNBOOK", "CHANGED"]),
    ];
    for (step, expected) in undos {
        let mut run = Run::up_to(step);
        let before = run.said.len();
        assert_eq!(run.cancel().verdict, Verdict::Applied);
        assert!(run.trip.locked && run.instance.memory.cancelling);
        assert_eq!(run.instance.state, State::Forward, "the answer is awaited");
        run.finish();
        assert_eq!(said_since(&run, before), expected, "cancelled at {step}");
        assert_eq!(
            (run.instance.state, run.trip.state),
            (State::RolledBack, "cancelled")
        );
        assert!(!run.trip.locked);
    }
}

#[test]
fn behind_the_pivot_a_cancellation_leads_back_in_words_of_its_own() {
    let mut run = Run::up_to("money");
    let before = run.said.len();
    run.cancel();
    run.finish();
    let expected = [
        "CHANGED", "CHANGED", "PAY_BACK", "RELEASE", "UNBOOK", "CHANGED",
    ];
    assert_eq!(said_since(&run, before), expected);
    assert_eq!(run.trip.state, "cancelled");
}

#[test]
fn a_refused_step_is_not_undone_in_a_cancellation_either() {
    let mut run = Run::up_to("money");
    let before = run.said.len();
    run.cancel();
    run.answer("BROKE");
    run.finish();
    assert_eq!(
        said_since(&run, before),
        ["CHANGED", "RELEASE", "UNBOOK", "CHANGED"]
    );
    assert_eq!(run.trip.state, "cancelled");
}

#[test]
fn once_the_arbiter_was_told_he_decides_after_the_answer() {
    let mut run = Run::up_to("ticket");
    run.cancel();
    let outcome = run.answer("PRINTED");
    assert_eq!(run.kinds().last(), Some(&"MAY_CANCEL"));
    assert_eq!(
        (run.instance.state, run.instance.step.as_str()),
        (State::Cancelling, "gate")
    );
    assert_eq!(
        outcome.records.last().map(|record| record.what),
        Some(What::ArbiterAsked)
    );
    run.finish();
    assert_eq!(run.trip.state, "cancelled");
}

#[test]
fn somebody_who_waits_asks_the_arbiter_at_once() {
    let mut run = Run::up_to("gate");
    run.cancel();
    assert_eq!(run.kinds().last(), Some(&"MAY_CANCEL"));
    assert!(run.definition.patience(&run.instance).is_some());
}

#[test]
fn a_saga_whose_arbiter_refuses_goes_on_where_it_was() {
    let mut run = Run::up_to("gate");
    run.cancel();
    let outcome = run.answer("TOO_LATE");
    assert_eq!(outcome.records[0].what, What::CancelRefused);
    assert_eq!(
        (run.instance.state, run.instance.step.as_str()),
        (State::Waiting, "gate")
    );
    assert!(!run.trip.locked && run.instance.memory.is_empty());
    run.finish();
    assert_eq!(run.instance.state, State::Completed);
}

#[test]
fn what_happens_while_the_arbiter_decides_is_kept_and_not_lost() {
    let mut run = Run::up_to("gate");
    run.cancel();
    assert_eq!(run.happen("GATE").verdict, Verdict::Kept);
    run.answer("TOO_LATE");
    assert_eq!(run.instance.step, "departure");
    assert_eq!(run.trip.gate.as_deref(), Some("fine"));
}

#[test]
fn who_asks_twice_is_heard_once_and_may_ask_again_after_a_refusal() {
    let mut run = Run::up_to("gate");
    run.cancel();
    let (instance, said) = (run.instance.clone(), run.said.len());
    assert_eq!(run.cancel().verdict, Verdict::Stale);
    assert_eq!((&run.instance, run.said.len()), (&instance, said));
    let first = run.awaited();
    run.answer("TOO_LATE");
    assert_eq!(run.cancel().verdict, Verdict::Applied);
    assert_ne!(run.awaited(), first);
    assert_eq!(
        run.hear(Some(first), "MAY", "late").unwrap().verdict,
        Verdict::Stale
    );
}

#[test]
fn it_is_too_late_behind_the_last_step_and_while_the_saga_goes_back() {
    let mut run = Run::up_to("departure");
    let before = run.instance.clone();
    assert_eq!(run.cancel().verdict, Verdict::Refused(Refusal::TooLate));
    assert_eq!(run.instance, before);
    run.finish();
    assert_eq!(run.cancel().verdict, Verdict::Refused(Refusal::Ended));
    let mut run = Run::up_to("room");
    run.answer("NO_ROOM");
    assert_eq!(run.cancel().verdict, Verdict::Refused(Refusal::GoingBack));
    run.finish();
    assert_eq!(run.trip.state, "called off");
}

#[test]
fn a_step_that_stays_silent_is_undone_too() {
    let mut run = Run::up_to("money");
    let before = run.said.len();
    run.cancel();
    run.long_silence();
    run.finish();
    assert_eq!(
        said_since(&run, before),
        ["CHANGED", "PAY_BACK", "RELEASE", "UNBOOK", "CHANGED"]
    );
}

#[test]
fn an_arbiter_who_stays_silent_leaves_the_saga_stuck() {
    let mut run = Run::up_to("gate");
    run.cancel();
    run.long_silence();
    assert_eq!(run.instance.state, State::Stuck);
    assert_eq!(run.cancel().verdict, Verdict::Stale);
    run.answer("MAY");
    run.finish();
    assert_eq!(run.trip.state, "cancelled");
}

#[test]
fn a_cancellation_at_any_step_ends_in_one_of_two_ways() {
    for step in declared().unwrap().steps() {
        for granted in [true, false] {
            let mut run = Run::up_to(step.name());
            run.cancel();
            while run.instance.is_alive() {
                match (run.instance.state, granted) {
                    (State::Cancelling, false) => drop(run.answer("TOO_LATE")),
                    _ => drop(run.grant()),
                }
            }
            let ends = ["cancelled", "paid"];
            assert!(ends.contains(&run.trip.state), "{}", run.trip.state);
            assert!(!run.trip.locked);
        }
    }
}
