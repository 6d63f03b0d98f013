//! Whatever is heard in whatever order: the rules hold at every step, and every saga can end.

use proptest::prelude::*;
use saga::{Input, Intervention, Purpose, State, Verdict, What};
use uuid::Uuid;

use crate::trip::{Run, declared};

/// One thing that happens.
#[derive(Debug, Clone)]
enum Event {
    /// A message of the kind with this number, answering the awaited command or, if `late`, an earlier one.
    Heard { kind: usize, late: Option<usize> },
    /// Somebody was silent for too long.
    Silence,
    /// The step succeeds.
    Grant,
    /// Somebody wants it to be cancelled.
    Cancel,
    /// An operator has the awaited command sent again.
    Retry,
    /// An operator has it go back.
    SendBack,
    /// An operator who saw it at the step with this number has it go on; he knows that the step was done.
    Skip(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let heard = (any::<usize>(), proptest::option::of(any::<usize>()));
    let heard = heard.prop_map(|(kind, late)| Event::Heard { kind, late });
    let event = prop_oneof![
        6 => heard,
        2 => Just(Event::Silence),
        4 => Just(Event::Grant),
        1 => Just(Event::Cancel),
        1 => Just(Event::Retry),
        1 => Just(Event::SendBack),
        1 => any::<usize>().prop_map(Event::Skip)
    ];
    proptest::collection::vec(event, 0..60)
}

/// Lets one thing happen to the saga.
fn play(run: &mut Run, event: &Event) {
    match event {
        Event::Grant if run.instance.is_alive() => drop(run.grant()),
        Event::Grant => {}
        Event::Cancel => drop(run.cancel()),
        Event::Retry => drop(run.step_in(Intervention::Retry)),
        Event::SendBack => drop(run.step_in(Intervention::SendBack)),
        Event::Skip(step) => {
            let steps = run.definition.steps();
            let step = steps[step % steps.len()].name().to_owned();
            skip(run, &step);
        }
        Event::Silence => {
            let command = run.instance.awaited.as_ref().map(|awaited| awaited.id);
            let command = command.unwrap_or_else(Uuid::nil);
            run.apply(Input::Silence { command }).unwrap();
        }
        Event::Heard { kind, late } => {
            let kinds = run.definition.listens_to();
            let kind = kinds[kind % kinds.len()].to_owned();
            let awaited = run.instance.awaited.as_ref().map(|awaited| awaited.id);
            let earlier = late.map(|late| run.said[late % run.said.len()].id);
            // An answer that its step does not know is a fault, which changes nothing.
            let _ = run.hear(earlier.or(awaited), &kind, "fine");
        }
    }
}

/// Only what is waited for, or stuck, at the very step that is named, and neither the pivot nor the arbiter's word.
fn skip(run: &mut Run, step: &str) {
    let before = run.instance.clone();
    let purpose = before.awaited.as_ref().map(|awaited| awaited.purpose);
    let may = before.is_alive()
        && before.step == step
        && match purpose {
            None => true,
            Some(Purpose::Arbitrate) => false,
            Some(Purpose::Do) => before.state == State::Stuck && step != "money",
            Some(Purpose::Undo) => before.state == State::Stuck,
        };
    let outcome = run.step_in_at(step, Intervention::Skip);
    assert_eq!(outcome.verdict == Verdict::Applied, may, "{before:?}");
    assert!(may || run.instance == before);
}

/// What must be true at every moment.
fn check(run: &Run) {
    let instance = &run.instance;
    let awaits = matches!(
        instance.state,
        State::Forward | State::Backward | State::Cancelling | State::Stuck
    );
    assert_eq!(
        instance.awaited.is_some(),
        awaits,
        "one command is awaited, or none: {instance:?}"
    );
    let numbers = run.records.iter().map(|record| record.number);
    assert!(numbers.eq(1..=instance.records), "the history has no gaps");
    let steps = |what: What| -> Vec<&str> {
        run.records
            .iter()
            .filter(|record| record.what == what)
            .map(|record| record.step.as_str())
            .collect()
    };
    let (sent, undone) = (steps(What::Sent), steps(What::UndoSent));
    let positions = |names: &[&str]| -> Vec<usize> {
        let place = |name: &&str| {
            run.definition
                .steps()
                .iter()
                .position(|step| step.name() == *name)
        };
        names.iter().filter_map(place).collect()
    };
    assert!(
        positions(&sent).is_sorted_by(|a, b| a < b),
        "each command is sent once, in order"
    );
    assert!(
        positions(&undone).is_sorted_by(|a, b| a > b),
        "each undo is sent once, in reverse order"
    );
    assert!(
        undone.iter().all(|step| sent.contains(step)),
        "no undo before its action"
    );
    let refused = steps(What::Refused);
    assert!(
        !undone.iter().any(|step| refused.contains(step)),
        "what was refused is not undone"
    );
    if steps(What::Granted).contains(&"money") && !instance.memory.cancelling {
        assert!(
            undone.is_empty(),
            "only a cancellation leads back from behind the pivot"
        );
    }
    if steps(What::Sent).contains(&"ticket") && !undone.is_empty() {
        let granted = !steps(What::CancelGranted).is_empty();
        assert!(
            granted || !steps(What::SentBack).is_empty(),
            "what the arbiter was told of is undone with his word only, or an operator's for his"
        );
    }
    assert_eq!(
        run.trip.locked,
        instance.memory.cancelling && instance.is_alive(),
        "locked while it is being cancelled"
    );
}

/// Whether a record is about a command that undoes something.
fn is_undo(record: &saga::Record) -> bool {
    let kind = record.kind.as_deref();
    kind.is_some_and(|kind| ["UNBOOK", "RELEASE", "REFUND", "PAY_BACK"].contains(&kind))
}

proptest! {
    #[test]
    fn the_rules_hold_whatever_happens(events in events()) {
        let mut run = Run::new();
        check(&run);
        for event in &events {
            play(&mut run, event);
            check(&run);
        }
        run.finish();
        check(&run);
        let undone = run.records.iter().filter(|record| record.what == What::Undone).count();
        let undos = run.records.iter().filter(|record| record.what == What::UndoSent).count();
        let skipped = run.records.iter().filter(|record| record.what == What::Skipped && is_undo(record)).count();
        prop_assert_eq!(undone + skipped, undos, "every undo that was sent is confirmed in the end, or an operator knows better");
    }

    #[test]
    fn the_same_inputs_have_the_same_outcome(events in events()) {
        let replay = || {
            let mut run = Run::new();
            events.iter().for_each(|event| play(&mut run, event));
            (run.instance, run.trip, run.said, run.records)
        };
        prop_assert_eq!(replay(), replay());
    }
}

#[test]
fn every_step_can_be_played() {
    assert_eq!(declared().unwrap().steps().len(), 8);
}
