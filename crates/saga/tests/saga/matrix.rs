//! What the definition says about itself, tried at every step: refuse it, answer it twice.

use saga::{Definition, State, Verdict};

use crate::trip::{Run, Trip, declared};

/// Every way in which a step may be refused.
fn refusals(definition: &Definition<Trip>) -> Vec<(String, String)> {
    let steps = definition.steps().iter();
    let pairs = steps.flat_map(|step| {
        let refused = step.asks().into_iter().flat_map(saga::Ask::refused);
        refused.map(|kind| (step.name().to_owned(), kind.to_owned()))
    });
    pairs.collect()
}

#[test]
fn a_refusal_at_any_step_undoes_what_was_granted_in_reverse_order() {
    let definition = declared().unwrap();
    let refusals = refusals(&definition);
    assert_eq!(refusals.len(), 4);
    for (step, kind) in refusals {
        let mut run = Run::up_to(&step);
        let asked = run.said.len();
        run.answer(&kind);
        run.finish();
        assert_eq!(run.instance.state, State::RolledBack, "refused at {step}");
        assert_eq!(run.trip.state, "called off");
        assert_eq!(run.trip.trouble.as_deref(), Some("fine"));
        let granted = definition
            .steps()
            .iter()
            .take_while(|before| before.name() != step);
        let mut expected: Vec<&str> = granted
            .filter_map(|step| Some(step.undo()?.command().kind()))
            .collect();
        expected.reverse();
        expected.push("CHANGED");
        assert_eq!(run.kinds()[asked..], expected, "refused at {step}");
    }
}

#[test]
fn every_answer_counts_once() {
    for step in declared().unwrap().steps() {
        let mut run = Run::up_to(step.name());
        let Some(ask) = step.asks() else { continue };
        let (command, kind) = (run.awaited(), ask.accepted().next().unwrap());
        run.hear(Some(command), kind, "first").unwrap();
        let (said, data) = (run.said.len(), run.trip.clone());
        let again = run.hear(Some(command), kind, "second").unwrap();
        assert_eq!(again.verdict, Verdict::Stale, "at {}", step.name());
        assert_eq!((run.said.len(), &run.trip), (said, &data));
    }
}

#[test]
fn a_step_is_undone_only_after_the_undo_before_it_was_confirmed() {
    let mut run = Run::up_to("money");
    run.answer("BROKE");
    assert_eq!(run.kinds().last(), Some(&"RELEASE"));
    assert_eq!(run.trip.state, "");
    run.answer("RELEASED");
    assert_eq!(run.kinds().last(), Some(&"UNBOOK"));
    run.answer("UNBOOKED");
    assert_eq!(run.trip.state, "called off");
}

#[test]
fn an_event_that_comes_while_the_saga_goes_back_or_has_ended_is_stale() {
    let mut run = Run::up_to("room");
    run.answer("NO_ROOM");
    assert_eq!(run.happen("GATE").verdict, Verdict::Stale);
    run.finish();
    assert_eq!(run.happen("GATE").verdict, Verdict::Stale);
    assert_eq!(run.definition.remaining(&run.instance), [""; 0]);
}
