//! What a declaration must obey, and what is derived from it.

use saga::{Ask, Invalid, Policy, ask, saga, say, until};

use crate::trip::{Note, Trip, declared};

fn note(_: &Trip) -> Note {
    Note {
        text: String::new(),
    }
}

fn learn(_: &mut Trip, _: &Note) -> Result<(), String> {
    Ok(())
}

fn good() -> Ask<Trip> {
    ask("somebody", "DO", note).granted_by("DONE")
}

fn refusable() -> Ask<Trip> {
    good().refused_with("NO", learn)
}

#[test]
fn names_are_unique() {
    let twice = saga("s", 1).step("a", good()).step("a", good()).end().err();
    assert_eq!(
        twice,
        Some(Invalid::Repeated {
            step: "a".to_owned()
        })
    );
}

#[test]
fn there_is_one_pivot_at_most() {
    let two = saga("s", 1)
        .pivot("a", good())
        .pivot("b", good())
        .end()
        .err();
    assert!(matches!(two, Some(Invalid::TwoPivots { .. })));
}

#[test]
fn nothing_behind_the_pivot_can_be_refused_or_undone() {
    let refused = saga("s", 1)
        .pivot("a", refusable())
        .step("b", refusable())
        .end()
        .err();
    assert_eq!(
        refused,
        Some(Invalid::RefusedAfterPivot {
            step: "b".to_owned()
        })
    );
    let undone = saga("s", 1)
        .pivot("a", good())
        .step("b", good())
        .undone_by(good())
        .end()
        .err();
    assert_eq!(
        undone,
        Some(Invalid::UndoAfterPivot {
            step: "b".to_owned()
        })
    );
}

#[test]
fn an_undo_cannot_be_refused() {
    let refused = saga("s", 1)
        .step("a", good())
        .undone_by(refusable())
        .end()
        .err();
    assert_eq!(
        refused,
        Some(Invalid::UndoRefused {
            step: "a".to_owned()
        })
    );
}

#[test]
fn every_command_can_be_granted_and_every_reply_means_one_thing() {
    let never = saga("s", 1)
        .step("a", ask("somebody", "DO", note))
        .end()
        .err();
    assert!(matches!(never, Some(Invalid::NeverGranted { .. })));
    let both = saga("s", 1)
        .step("a", good().refused_with("DONE", learn))
        .end()
        .err();
    assert!(matches!(both, Some(Invalid::Ambiguous { .. })));
}

#[test]
fn an_event_is_no_reply_and_is_waited_for_once() {
    let both = saga("s", 1).step("a", good()).wait("b", "DONE").end().err();
    assert_eq!(
        both,
        Some(Invalid::ReplyAndEvent {
            kind: "DONE".to_owned()
        })
    );
    let twice = saga::<Trip>("s", 1)
        .wait("a", "IT")
        .wait("b", "IT")
        .end()
        .err();
    assert_eq!(
        twice,
        Some(Invalid::TwoWaits {
            kind: "IT".to_owned()
        })
    );
    let undone = saga("s", 1).wait("a", "IT").undone_by(good()).end().err();
    assert_eq!(
        undone,
        Some(Invalid::UndoOfWait {
            step: "a".to_owned()
        })
    );
}

#[test]
fn a_saga_has_steps_and_words_about_a_step_stand_behind_one() {
    assert_eq!(saga::<Trip>("s", 1).end().err(), Some(Invalid::Empty));
    let lost = saga("s", 1)
        .announce(say("news", "CHANGED", note))
        .step("a", good())
        .end()
        .err();
    assert_eq!(lost, Some(Invalid::Misplaced { word: "announce" }));
    let never = Policy {
        attempts: 0,
        ..Policy::default()
    };
    let unsent = saga("s", 1).patience(never).step("a", good()).end().err();
    assert_eq!(
        unsent,
        Some(Invalid::NoAttempt {
            step: "a".to_owned()
        })
    );
}

#[test]
fn a_cancellation_speaks_of_steps_that_there_are_and_its_arbiter_may_say_no() {
    let declared = |cancellation| {
        saga("s", 1)
            .step("a", good())
            .step("b", good())
            .cancellable(cancellation)
            .end()
            .err()
    };
    let arbiter = || {
        ask("somebody", "MAY", note)
            .granted_by("YES")
            .refused_by("NO")
    };
    assert_eq!(declared(until("b").decided_by("a", arbiter())), None);
    let nothing = Invalid::CancellationOfNothing {
        step: "c".to_owned(),
    };
    assert_eq!(declared(until("c")), Some(nothing.clone()));
    assert_eq!(
        declared(until("b").decided_by("c", arbiter())),
        Some(nothing)
    );
    assert_eq!(
        declared(until("a").decided_by("b", arbiter())),
        Some(Invalid::ArbiterTooLate {
            from: "b".to_owned()
        })
    );
    assert_eq!(
        declared(until("b").decided_by("a", good())),
        Some(Invalid::NeverRefused {
            kind: "DO".to_owned()
        })
    );
}

#[test]
fn the_fingerprint_is_the_same_everywhere_and_changes_with_the_structure() {
    let one = || saga("s", 1).step("a", good());
    let print = |builder: saga::Builder<Trip>| builder.end().unwrap().fingerprint();
    assert_eq!(print(one()), "s-1-b6f5cb37c5b17af6");
    assert_ne!(print(one()), print(one().undone_by(good())));
    assert_ne!(print(one()), print(one().cancelled_by(good())));
    assert_ne!(print(one()), print(one().cancellable(until("a"))));
    assert_ne!(print(one()), print(one().wait("b", "IT")));
    assert_ne!(
        print(one()),
        print(one().announce(say("news", "CHANGED", note)))
    );
    assert_ne!(print(one()), print(saga("s", 1).step("a", refusable())));
}

#[test]
fn patience_is_no_structure() {
    let hasty = Policy {
        attempts: 1,
        ..Policy::default()
    };
    let print = |policy| {
        saga("s", 1)
            .patience(policy)
            .step("a", good())
            .end()
            .unwrap()
            .fingerprint()
    };
    assert_eq!(print(hasty), print(Policy::default()));
}

#[test]
fn a_definition_tells_what_it_listens_to() {
    let definition = declared().unwrap();
    let kinds = definition.listens_to();
    assert_eq!(kinds.len(), 18);
    assert!(kinds.is_sorted() && kinds.contains(&"RELEASED") && kinds.contains(&"GATE"));
}

#[test]
fn the_picture_shows_the_way_forward_and_the_way_back() {
    let picture = declared().unwrap().mermaid();
    for line in [
        r#"s3{{"money<br/>PAY → bank"}}"#,
        r#"s5[/"gate<br/>waits for GATE"/]"#,
        "s0 -->|BOOKED| s1",
        "s0 -.->|FULL| rolled_back",
        "s3 -.->|BROKE| u2",
        "s3 -.->|silent| u3",
        "s1 -.->|silent| u0",
        "u2 -.->|RELEASED| u0",
        "u0 -.->|UNBOOKED| rolled_back",
        "s7 -->|CALLED| completed",
        "s1 -.->|cancel| c0",
        "s4 -.->|cancel| arbiter",
        "arbiter -.->|MAY| c3",
        "arbiter -->|TOO_LATE| on([goes on where it was])",
        "c3 -.->|PAID_BACK| c2",
        "c0 -.->|UNBOOKED| cancelled",
    ] {
        assert!(picture.contains(line), "{line} is missing in\n{picture}");
    }
    assert!(!picture.contains("s6 -.->"), "no way back from there");
}
