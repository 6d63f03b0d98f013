//! The saga that is checked: the shape of the order's, with one step of each sort.

use saga::{Definition, Invalid, Policy, Process, ask, saga, try_ask, until};
use serde::{Serialize, de::DeserializeOwned};

use super::Flaw;

pub(crate) const CHECK: &str = "CHECK";
pub(crate) const CHECKED: &str = "CHECKED";
pub(crate) const UNKNOWN: &str = "UNKNOWN";
pub(crate) const BOOK: &str = "BOOK";
pub(crate) const BOOKED: &str = "BOOKED";
/// Refuses a booking, and confirms its undo: as `TICKET_REJECTED` does for the order.
pub(crate) const NOT_BOOKED: &str = "NOT_BOOKED";
pub(crate) const UNBOOK: &str = "UNBOOK";
pub(crate) const CANCEL_BOOKING: &str = "CANCEL_BOOKING";
pub(crate) const BOOKING_CANCELLED: &str = "BOOKING_CANCELLED";
pub(crate) const HOLD: &str = "HOLD";
pub(crate) const HELD: &str = "HELD";
pub(crate) const DECLINED: &str = "DECLINED";
pub(crate) const VOID: &str = "VOID";
pub(crate) const VOIDED: &str = "VOIDED";
pub(crate) const MAKE: &str = "MAKE";
pub(crate) const MAKING: &str = "MAKING";
pub(crate) const MAY_CANCEL: &str = "MAY_CANCEL";
pub(crate) const STOPPED: &str = "STOPPED";
pub(crate) const TOO_LATE: &str = "TOO_LATE";
pub(crate) const MADE: &str = "MADE";
pub(crate) const CHARGE: &str = "CHARGE";
pub(crate) const CHARGED: &str = "CHARGED";

/// The step from which there is no way back.
pub(crate) const PIVOT: &str = "hold";

/// A command is sent so often: once more than once is enough to repeat it.
const ATTEMPTS: u32 = 2;

/// The data of the saga.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Trade {
    version: i64,
    /// Whether it learned that the money is held.
    pub held: bool,
    /// Whether somebody's wish to cancel it is open.
    pub locked: bool,
    /// What became of it.
    pub end: Option<End>,
}

/// What became of a trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// It was paid for.
    Done,
    /// It was refused, or given up.
    Refused,
    /// Somebody thought better of it.
    Cancelled,
}

impl Process for Trade {
    fn next_version(&mut self) -> i64 {
        self.version += 1;
        self.version
    }

    fn check(&self, _kind: &str, body: &str) -> Result<(), String> {
        Self::read::<()>(body)
    }

    fn read<B: DeserializeOwned>(body: &str) -> Result<B, String> {
        serde_json::from_str(body).map_err(|error| error.to_string())
    }

    fn write<B: Serialize>(body: &B) -> Result<String, String> {
        serde_json::to_string(body).map_err(|error| error.to_string())
    }
}

impl Trade {
    fn note(&self) -> i64 {
        self.version
    }

    fn learn_hold(&mut self, _body: &()) -> Result<(), String> {
        self.held = true;
        Ok(())
    }

    fn charge(&self) -> Result<i64, &'static str> {
        self.held.then_some(self.version).ok_or("nothing is held")
    }

    fn lock(&mut self) -> Result<(), String> {
        self.locked = true;
        Ok(())
    }

    fn unlock(&mut self) -> Result<(), String> {
        self.locked = false;
        Ok(())
    }

    /// An end comes once.
    fn ends(&mut self, end: End) -> Result<(), String> {
        match self.end.replace(end) {
            None => self.unlock(),
            Some(before) => Err(format!("it was {before:?} already")),
        }
    }
}

/// The definition; with a flaw, what somebody could have forgotten in it.
///
/// # Errors
/// Never: a test builds it.
#[rustfmt::skip]
pub(crate) fn definition(flaw: Option<Flaw>) -> Result<Definition<Trade>, Invalid> {
    let pivot = saga("trade", 1)
        .patience(Policy { attempts: ATTEMPTS, ..Policy::default() })

        .step("check", ask("desk", CHECK, Trade::note)
            .granted_by(CHECKED)
            .refused_by(UNKNOWN))

        .step("book", ask("shop", BOOK, Trade::note)
            .granted_by(BOOKED)
            .refused_by(NOT_BOOKED))
            .undone_by(ask("shop", UNBOOK, Trade::note).granted_by(NOT_BOOKED))
            .cancelled_by(ask("shop", CANCEL_BOOKING, Trade::note).granted_by(BOOKING_CANCELLED))

        .pivot(PIVOT, ask("bank", HOLD, Trade::note)
            .granted_with(HELD, Trade::learn_hold)
            .refused_by(DECLINED));

    let void = || ask("bank", VOID, Trade::note).granted_by(VOIDED);
    let pivot = match flaw {
        Some(Flaw::NoCompensation) => pivot,
        _ => pivot.undone_by(void()).cancelled_by(void()),
    };

    pivot
        .step("make", ask("maker", MAKE, Trade::note)
            .granted_by(MAKING))

        .wait("made", MADE)

        .step("charge", try_ask("bank", CHARGE, Trade::charge)
            .granted_by(CHARGED))
            .then(|trade: &mut Trade| trade.ends(End::Done))

        .when_rolled_back(|trade: &mut Trade| trade.ends(End::Refused), saga::say("news", "CHANGED", Trade::note))

        .cancellable(until("made")
            .decided_by("make", ask("maker", MAY_CANCEL, Trade::note)
                .granted_by(STOPPED)
                .refused_by(TOO_LATE))
            .locked(Trade::lock)
            .released(Trade::unlock)
            .ended(|trade: &mut Trade| trade.ends(End::Cancelled))
            .announce(saga::say("news", "CHANGED", Trade::note)))
        .end()
}
