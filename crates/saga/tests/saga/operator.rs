//! An operator steps in where a saga cannot help itself.

use saga::{Effect, Intervention, Refusal, State, Verdict, What};

use crate::trip::Run;

const ALL: [Intervention; 3] = [
    Intervention::Retry,
    Intervention::Skip,
    Intervention::SendBack,
];

#[test]
fn at_another_step_than_the_operator_saw_nothing_is_done() {
    for intervention in ALL {
        let mut run = Run::up_to("ticket");
        run.long_silence();
        let before = run.instance.clone();
        for step in ["money", "gate", "tickets", ""] {
            let outcome = run.step_in_at(step, intervention);
            assert_eq!(outcome.verdict, Verdict::Refused(Refusal::AnotherStep));
            assert!(outcome.effects.is_empty() && outcome.records.is_empty());
        }
        assert_eq!(run.instance, before);
    }
}

#[test]
fn a_skip_that_comes_twice_skips_one_step() {
    for step in ["ticket", "departure"] {
        let mut run = Run::up_to(step);
        if step == "ticket" {
            run.long_silence();
        }
        run.step_in_at(step, Intervention::Skip);
        let after = run.instance.clone();
        let again = run.step_in_at(step, Intervention::Skip);
        assert_eq!(again.verdict, Verdict::Refused(Refusal::AnotherStep));
        assert_eq!(run.instance, after);
    }
}

#[test]
fn what_is_under_way_in_time_is_not_skipped() {
    let mut run = Run::up_to("ticket");
    let mut undoing = Run::up_to("money");
    undoing.answer("BROKE");
    for run in [&mut run, &mut undoing] {
        for _ in 0..2 {
            let before = run.instance.clone();
            let outcome = run.step_in(Intervention::Skip);
            assert_eq!(outcome.verdict, Verdict::Refused(Refusal::InTime));
            assert_eq!(run.instance, before);
            // Asked again is in time as well, until the last attempt.
            run.silence();
        }
    }
}

#[test]
fn a_retry_makes_a_stuck_step_one_that_is_under_way_again() {
    let mut run = Run::up_to("ticket");
    run.long_silence();
    run.step_in(Intervention::Retry);
    let outcome = run.step_in(Intervention::Skip);
    assert_eq!(outcome.verdict, Verdict::Refused(Refusal::InTime));
}

#[test]
fn the_pivot_is_never_skipped() {
    let mut run = Run::up_to("money");
    for _ in 0..2 {
        let outcome = run.step_in(Intervention::Skip);
        assert_eq!(outcome.verdict, Verdict::Refused(Refusal::Pivot));
        run.silence();
    }
    assert_eq!((run.instance.step.as_str(), run.trip.state), ("money", ""));
}

#[test]
fn a_stuck_command_is_sent_again_and_its_patience_begins_anew() {
    let mut run = Run::up_to("ticket");
    let patience = run.definition.patience(&run.instance);
    run.long_silence();
    let command = run.awaited();
    let outcome = run.step_in(Intervention::Retry);
    assert_eq!(outcome.effects, [Effect::Again(command)]);
    assert_eq!(run.instance.state, State::Forward);
    assert_eq!(run.definition.patience(&run.instance), patience);
}

#[test]
fn every_intervention_is_a_record_of_who_and_why() {
    for (intervention, what, step) in [
        (Intervention::Retry, What::Retried, "money"),
        (Intervention::Skip, What::Skipped, "departure"),
        (Intervention::SendBack, What::SentBack, "money"),
    ] {
        let mut run = Run::up_to(step);
        let outcome = run.step_in(intervention);
        let record = &outcome.records[0];
        assert_eq!(record.what, what);
        let ordered = record.ordered.as_ref().unwrap();
        assert_eq!(
            (ordered.by.as_str(), ordered.why.as_str()),
            ("ada", "the airline is on strike")
        );
    }
}

#[test]
fn a_skipped_step_counts_as_done_and_its_answer_is_stale_then() {
    let mut run = Run::up_to("ticket");
    run.long_silence();
    let command = run.awaited();
    run.step_in(Intervention::Skip);
    assert_eq!(
        (run.instance.state, run.instance.step.as_str()),
        (State::Waiting, "gate")
    );
    let late = run.hear(Some(command), "PRINTED", "late").unwrap();
    assert_eq!(late.verdict, Verdict::Stale);
}

#[test]
fn a_skipped_undo_leads_to_the_next_one() {
    let mut run = Run::up_to("money");
    run.answer("BROKE");
    run.long_silence();
    assert_eq!(run.instance.state, State::Stuck);
    run.step_in(Intervention::Skip);
    assert_eq!(run.kinds().last(), Some(&"UNBOOK"));
}

#[test]
fn an_event_can_be_skipped_as_if_it_had_happened() {
    let mut run = Run::up_to("departure");
    run.step_in(Intervention::Skip);
    assert_eq!(run.instance.step, "goodbye");
}

#[test]
fn while_the_arbiter_may_still_answer_nobody_answers_for_him() {
    let mut run = Run::up_to("gate");
    run.cancel();
    let before = run.instance.clone();
    for (intervention, refusal) in [
        (Intervention::SendBack, Refusal::InTime),
        (Intervention::Skip, Refusal::Arbitrated),
    ] {
        let outcome = run.step_in(intervention);
        assert_eq!(outcome.verdict, Verdict::Refused(refusal));
    }
    assert_eq!(run.instance, before);
}

#[test]
fn an_operator_answers_for_an_arbiter_who_stays_silent_and_everything_is_undone() {
    for step in ["ticket", "gate"] {
        let mut run = Run::up_to(step);
        run.cancel();
        if step == "ticket" {
            // It is printed, so the arbiter is asked.
            run.answer("PRINTED");
        }
        run.long_silence();
        let question = run.awaited();
        let outcome = run.step_in(Intervention::SendBack);
        let record = &outcome.records[0];
        assert_eq!(record.what, What::SentBack);
        assert_eq!(record.ordered.as_ref().unwrap().by, "ada");
        let late = run.hear(Some(question), "TOO_LATE", "late").unwrap();
        assert_eq!(late.verdict, Verdict::Stale);
        let before = run.said.len() - 1;
        run.finish();
        assert_eq!(
            run.kinds()[before..],
            ["PAY_BACK", "RELEASE", "UNBOOK", "CHANGED"]
        );
        assert_eq!(
            (run.instance.state, run.trip.state),
            (State::RolledBack, "cancelled")
        );
    }
}

#[test]
fn the_arbiters_word_is_never_skipped() {
    let mut run = Run::up_to("gate");
    run.cancel();
    run.long_silence();
    let before = run.instance.clone();
    let outcome = run.step_in(Intervention::Skip);
    assert_eq!(outcome.verdict, Verdict::Refused(Refusal::Arbitrated));
    assert_eq!(run.instance, before);
    run.step_in(Intervention::Retry);
    run.answer("TOO_LATE");
    assert_eq!(run.instance.state, State::Waiting);
    assert!(!run.trip.locked);
}

#[test]
fn a_saga_is_sent_back_before_the_pivot_with_its_current_step() {
    let mut run = Run::up_to("money");
    let before = run.said.len();
    run.step_in(Intervention::SendBack);
    run.finish();
    assert_eq!(
        run.kinds()[before..],
        ["REFUND", "RELEASE", "UNBOOK", "CHANGED"]
    );
    assert_eq!(run.trip.state, "called off");
    assert!(run.trip.sent_back, "the data can tell it from silence");
}

#[test]
fn behind_the_pivot_a_saga_is_sent_back_by_a_cancellation_only() {
    let mut run = Run::up_to("ticket");
    run.long_silence();
    let before = run.instance.clone();
    assert_eq!(
        run.step_in(Intervention::SendBack).verdict,
        Verdict::Refused(Refusal::TooLate)
    );
    assert_eq!(run.instance, before);
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut run = Run::up_to("gate");
    assert_eq!(
        run.step_in(Intervention::Retry).verdict,
        Verdict::Refused(Refusal::NothingAwaited)
    );
    run.finish();
    let before = run.instance.clone();
    for intervention in ALL {
        assert_eq!(
            run.step_in(intervention).verdict,
            Verdict::Refused(Refusal::Ended)
        );
    }
    assert_eq!(run.instance, before);
}
