//! The relay's lease and cursor.

use models::relay_lease::{Flaw, Lease};
use stateright::{Checker, Model};

use crate::checked::{breaks, exhaustively, has_no_circle};

/// Two rows of one key and one of another, two relays, and one thing that goes wrong at any moment.
fn lease() -> Lease {
    Lease {
        keys: vec![0, 0, 1],
        rolls_back: true,
        relays: 2,
        mishaps: 1,
        flaw: None,
    }
}

/// A row each of two keys, and two things that go wrong.
fn two_mishaps() -> Lease {
    Lease {
        keys: vec![0, 1],
        mishaps: 2,
        ..lease()
    }
}

#[test]
fn two_relays_and_writers_that_roll_back_keep_their_promises_in_every_state() {
    exhaustively("relay-lease", lease());
}

#[test]
fn relays_to_which_two_things_happen_keep_their_promises_in_every_state() {
    exhaustively("relay-lease with two mishaps", two_mishaps());
}

#[test]
fn no_relay_runs_in_a_circle() {
    has_no_circle("relay-lease with two mishaps", &two_mishaps());
}

#[test]
fn three_relays_keep_their_promises_in_every_state() {
    let lease = Lease {
        keys: vec![0, 0],
        relays: 3,
        mishaps: 2,
        ..lease()
    };
    exhaustively("relay-lease with three relays", lease);
}

#[test]
#[ignore = "a minute and a GiB: run it with --ignored"]
fn more_rows_and_more_mishaps_at_once_keep_their_promises_in_every_state() {
    let lease = Lease {
        rolls_back: false,
        mishaps: 2,
        ..lease()
    };
    exhaustively("relay-lease with more at once", lease);
}

const ORDER: &str = "per key, rows first appear in the order of commits";
const PASSED: &str = "the cursor passes no row that is not published";
const TRUNCATED: &str = "nothing is truncated that is not published";

#[test]
fn ids_that_are_taken_before_the_lock_reorder_a_key() {
    flawed(Flaw::IdBeforeTheLock, ORDER);
}

#[test]
fn a_cursor_that_is_only_a_position_skips_what_commits_late() {
    flawed(Flaw::NoHoles, PASSED);
}

#[test]
fn holes_that_are_given_up_by_age_skip_what_commits_late() {
    flawed(Flaw::HolesExpire, PASSED);
}

#[test]
fn a_cursor_that_runs_ahead_of_the_acknowledgements_passes_what_is_not_published() {
    flawed(Flaw::SavesWhatWasHanded, PASSED);
}

#[test]
fn without_the_epoch_in_the_update_a_former_owner_moves_the_cursor() {
    flawed(
        Flaw::NoEpochInTheUpdate,
        "a former owner does not move the cursor",
    );
}

#[test]
fn what_a_former_owner_does_to_the_cursor_reorders_and_loses_nothing() {
    let lease = Lease {
        keys: vec![0, 0],
        mishaps: 2,
        flaw: Some(Flaw::NoEpochInTheUpdate),
        ..lease()
    };
    let checker = lease.checker().spawn_bfs().join();
    for property in [ORDER, PASSED, TRUNCATED] {
        checker.assert_no_discovery(property);
    }
}

#[test]
fn without_a_new_epoch_a_lease_that_expired_has_two_owners_who_undo_each_others_cursor() {
    flawed(Flaw::NoNewEpoch, "one process at most holds the lease");
    flawed(
        Flaw::NoNewEpoch,
        "the cursor forgets nothing that it passed",
    );
}

#[test]
fn a_producer_that_reorders_reorders_a_key() {
    flawed(Flaw::Reorders, ORDER);
}

#[test]
fn a_producer_that_goes_on_behind_a_refused_row_reorders_a_key() {
    flawed(Flaw::LeavesGaps, ORDER);
}

#[test]
fn an_owner_that_does_not_go_back_after_a_failure_passes_what_was_lost() {
    flawed(Flaw::GoesOnAfterAFailure, PASSED);
}

#[test]
fn a_leaf_that_is_truncated_when_it_was_read_loses_rows() {
    flawed(Flaw::TruncatesWhatWasRead, TRUNCATED);
}

#[test]
fn a_leaf_that_is_truncated_without_a_lock_loses_the_row_of_an_open_transaction() {
    flawed(Flaw::TruncatesWithoutALock, TRUNCATED);
}

fn flawed(flaw: Flaw, property: &'static str) {
    let lease = Lease {
        flaw: Some(flaw),
        ..lease()
    };
    breaks(&format!("relay-lease with {flaw:?}"), lease, property);
}
