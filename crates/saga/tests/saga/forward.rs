//! The way forward: replies that count, replies that do not, events that come early.

use saga::{Effect, Fault, State, Verdict, What};
use uuid::Uuid;

use crate::trip::Run;

#[test]
fn a_saga_whose_steps_are_all_granted_completes() {
    let mut run = Run::new();
    run.finish();
    assert_eq!(run.instance.state, State::Completed);
    assert_eq!(run.instance.awaited, None);
    let said = [
        "BOOK", "CHECK", "RESERVE", "PAY", "CHANGED", "PRINT", "CALL",
    ];
    assert_eq!(run.kinds(), said);
    assert_eq!(run.trip.seat.as_deref(), Some("fine"));
}

#[test]
fn every_message_has_a_version_of_its_own_and_its_body_knows_it() {
    let mut run = Run::new();
    run.finish();
    let versions: Vec<i64> = run.said.iter().map(|speech| speech.version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(run.said[4].body, r#"{"text":"5 paid"}"#);
}

#[test]
fn a_reply_that_answers_nothing_or_another_command_is_stale() {
    let mut run = Run::new();
    for answers in [None, Some(Uuid::from_u128(999))] {
        let (before, data) = (run.instance.clone(), run.trip.clone());
        let outcome = run.hear(answers, "BOOKED", "12A").unwrap();
        assert_eq!((outcome.verdict, outcome.effects), (Verdict::Stale, vec![]));
        assert_eq!(outcome.records[0].what, What::Stale);
        assert_eq!(run.trip, data);
        assert_eq!(
            saga::Instance {
                records: before.records,
                ..run.instance.clone()
            },
            before
        );
    }
}

#[test]
fn an_answer_that_the_step_does_not_know_is_a_fault_and_changes_nothing() {
    let mut run = Run::new();
    let before = run.instance.clone();
    let awaited = run.awaited();
    let fault = run.hear(Some(awaited), "PAID", "fine").unwrap_err();
    assert!(matches!(fault, Fault::UnknownAnswer { .. }), "{fault}");
    assert_eq!(run.instance, before);
}

#[test]
fn a_body_that_cannot_be_read_is_a_fault_and_changes_nothing() {
    let mut run = Run::new();
    let (before, awaited) = (run.instance.clone(), run.awaited());
    let heard = saga::Heard {
        id: awaited,
        answers: Some(awaited),
        kind: "BOOKED",
        body: "{}",
    };
    let fault = run.apply(saga::Input::Heard(heard)).unwrap_err();
    assert!(matches!(fault, Fault::Unreadable { .. }), "{fault}");
    assert_eq!(run.instance, before);
}

#[test]
fn data_that_refuses_a_change_is_a_fault_and_changes_nothing() {
    let mut run = Run::new();
    let (before, awaited) = (run.instance.clone(), run.awaited());
    let fault = run.hear(Some(awaited), "BOOKED", "taken").unwrap_err();
    assert_eq!(
        fault.to_string(),
        r#"step "flight" cannot change the data: the seat is taken"#
    );
    assert_eq!(run.instance, before);
    assert_eq!(run.trip.seat, None);
}

#[test]
fn an_early_event_is_kept_and_applied_when_its_step_is_reached() {
    let mut run = Run::new();
    assert_eq!(run.happen("DEPARTED").verdict, Verdict::Kept);
    assert_eq!(
        run.hear(None, "GATE", "B 7").unwrap().verdict,
        Verdict::Kept
    );
    while run.instance.step != "ticket" {
        run.grant();
    }
    let outcome = run.grant();
    assert_eq!(run.instance.step, "goodbye");
    assert_eq!(run.trip.gate.as_deref(), Some("B 7"));
    let what: Vec<What> = outcome.records.iter().map(|record| record.what).collect();
    assert_eq!(
        what,
        [What::Granted, What::Happened, What::Happened, What::Sent]
    );
    assert!(run.instance.memory.is_empty());
}

#[test]
fn a_repeated_event_is_stale_whether_the_first_is_kept_or_applied() {
    let mut run = Run::new();
    run.happen("GATE");
    assert_eq!(run.happen("GATE").verdict, Verdict::Stale);
    let mut run = Run::up_to("departure");
    assert_eq!(run.happen("GATE").verdict, Verdict::Stale);
}

#[test]
fn a_saga_that_waits_for_somebody_awaits_no_command() {
    let run = Run::up_to("gate");
    assert_eq!(run.instance.state, State::Waiting);
    assert_eq!(run.instance.awaited, None);
    assert_eq!(run.definition.patience(&run.instance), None);
    assert_eq!(
        run.definition.remaining(&run.instance),
        ["gate", "departure", "goodbye"]
    );
}

#[test]
fn an_announcement_is_not_awaited() {
    let mut run = Run::up_to("money");
    let outcome = run.grant();
    assert!(matches!(&outcome.effects[0], Effect::News(news) if news.kind == "CHANGED"));
    assert!(matches!(&outcome.effects[1], Effect::Command(next) if next.id == run.awaited()));
}

#[test]
fn what_is_stored_of_an_instance_is_read_back() {
    let mut run = Run::new();
    run.happen("GATE");
    let stored = serde_json::to_string(&run.instance).unwrap();
    assert_eq!(
        serde_json::from_str::<saga::Instance>(&stored).unwrap(),
        run.instance
    );
}
