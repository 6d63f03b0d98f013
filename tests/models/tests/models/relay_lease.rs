//! The relay's lease and cursor.

use models::relay_lease::Lease;

use crate::checked::exhaustively;

/// Two rows of one key, and one of another.
fn lease(mishaps: u8) -> Lease {
    Lease {
        keys: vec![0, 0, 1],
        relays: 2,
        mishaps,
        flaw: None,
    }
}

#[test]
fn relays_that_are_paused_killed_and_replaced_keep_their_promises_in_every_state() {
    exhaustively("relay-lease", lease(1));
}

#[test]
fn b_22() {
    exhaustively("relay-lease 00 2/2", Lease { keys: vec![0, 0], ..lease(2) });
}
#[test]
fn c_23() {
    exhaustively("relay-lease 00 3/2", Lease { keys: vec![0, 0], relays: 3, ..lease(2) });
}
