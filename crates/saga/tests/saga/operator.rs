//! An operator steps in where a saga cannot help itself.

use saga::{Effect, Intervention, Refusal, State, Verdict, What};

use crate::trip::Run;

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
    for (intervention, what) in [
        (Intervention::Retry, What::Retried),
        (Intervention::Skip, What::Skipped),
        (Intervention::SendBack, What::SentBack),
    ] {
        let mut run = Run::up_to("money");
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
fn without_the_arbiters_word_nothing_is_undone() {
    let mut run = Run::up_to("gate");
    run.cancel();
    run.long_silence();
    assert_eq!(
        run.step_in(Intervention::SendBack).verdict,
        Verdict::Refused(Refusal::TooLate)
    );
    run.step_in(Intervention::Skip);
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
    for intervention in [
        Intervention::Retry,
        Intervention::Skip,
        Intervention::SendBack,
    ] {
        assert_eq!(
            run.step_in(intervention).verdict,
            Verdict::Refused(Refusal::Ended)
        );
    }
    assert_eq!(run.instance, before);
}
