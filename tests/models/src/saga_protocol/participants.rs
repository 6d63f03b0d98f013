//! Whoever the saga talks to: each keeps what it did under the saga's key, and remembers what it was told too early.

use super::{
    Flaw,
    definition::{
        BOOK, BOOKED, BOOKING_CANCELLED, CANCEL_BOOKING, CHARGE, CHARGED, CHECK, CHECKED, DECLINED,
        HELD, HOLD, MAKE, MAKING, MAY_CANCEL, NOT_BOOKED, STOPPED, TOO_LATE, UNBOOK, UNKNOWN, VOID,
        VOIDED,
    },
};

/// All participants, with how often each did something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Participants {
    /// The shop's booking.
    pub booking: Booking,
    /// How often something was booked.
    pub bookings: u8,
    /// How often a booking was given up.
    pub releases: u8,
    /// The bank's account.
    pub account: Account,
    /// How often money was held.
    pub holds: u8,
    /// How often money that was held was let go.
    pub voids: u8,
    /// How often money was taken.
    pub charges: u8,
    /// What the maker does.
    pub work: Work,
}

/// The booking, under the saga's key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Booking {
    /// Nothing was heard of it.
    #[default]
    Unknown,
    /// It is there.
    Booked,
    /// It was refused.
    Refused,
    /// It was given up, perhaps before it was asked for: a tombstone.
    Released,
}

/// The money, under the saga's key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Account {
    /// Nothing was heard of it.
    #[default]
    Unknown,
    /// It is held.
    Held,
    /// It was not given.
    Declined,
    /// It was let go, perhaps before it was held: a tombstone.
    Voided,
    /// It was taken.
    Charged,
}

/// What the maker does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Work {
    /// Nothing was heard of it.
    #[default]
    Unknown,
    /// It is being made.
    Making,
    /// It is made.
    Made,
    /// It will not be made.
    Stopped,
}

impl Participants {
    /// Whether somebody could say no to this command.
    pub(crate) fn may_refuse(&self, command: &str) -> bool {
        match command {
            CHECK => true,
            BOOK => self.booking == Booking::Unknown,
            HOLD => self.account == Account::Unknown,
            _ => false,
        }
    }

    /// Does what a command asks for, and says what is answered.
    pub(crate) fn handle(
        &mut self,
        command: &str,
        willing: bool,
        flaw: Option<Flaw>,
    ) -> &'static str {
        let again = flaw == Some(Flaw::NoDeduplication);
        let tombstones = flaw != Some(Flaw::NoTombstones);
        match command {
            CHECK if willing => CHECKED,
            CHECK => UNKNOWN,
            BOOK => self.book(willing, again),
            UNBOOK => self.unbook(tombstones, NOT_BOOKED),
            CANCEL_BOOKING => self.unbook(tombstones, BOOKING_CANCELLED),
            HOLD => self.hold(willing, again),
            VOID => self.void(tombstones),
            CHARGE => self.charge(again),
            MAKE => {
                if self.work == Work::Unknown {
                    self.work = Work::Making;
                }
                MAKING
            }
            MAY_CANCEL if self.work == Work::Made => TOO_LATE,
            MAY_CANCEL => {
                self.work = Work::Stopped;
                STOPPED
            }
            // Said to nobody: no definition of this model does.
            _ => UNKNOWN,
        }
    }

    fn book(&mut self, willing: bool, again: bool) -> &'static str {
        match self.booking {
            Booking::Unknown if willing => self.bookings += 1,
            Booking::Booked if again => self.bookings = 2,
            Booking::Booked => return BOOKED,
            Booking::Unknown => {
                self.booking = Booking::Refused;
                return NOT_BOOKED;
            }
            Booking::Refused | Booking::Released => return NOT_BOOKED,
        }
        self.booking = Booking::Booked;
        BOOKED
    }

    fn unbook(&mut self, tombstones: bool, done: &'static str) -> &'static str {
        match self.booking {
            Booking::Booked => {
                self.releases += 1;
                self.booking = Booking::Released;
            }
            Booking::Unknown if tombstones => self.booking = Booking::Released,
            _ => {}
        }
        done
    }

    fn hold(&mut self, willing: bool, again: bool) -> &'static str {
        match self.account {
            Account::Unknown if willing => self.holds += 1,
            Account::Held if again => self.holds = 2,
            Account::Held | Account::Charged => return HELD,
            Account::Unknown => {
                self.account = Account::Declined;
                return DECLINED;
            }
            Account::Declined | Account::Voided => return DECLINED,
        }
        self.account = Account::Held;
        HELD
    }

    fn void(&mut self, tombstones: bool) -> &'static str {
        match self.account {
            Account::Held | Account::Charged => {
                self.voids += 1;
                self.account = Account::Voided;
            }
            Account::Unknown if tombstones => self.account = Account::Voided,
            _ => {}
        }
        VOIDED
    }

    fn charge(&mut self, again: bool) -> &'static str {
        match self.account {
            Account::Charged if again => self.charges = 2,
            Account::Charged => {}
            // Money that is not held can be taken as well: that it never happens is for the model to show.
            _ => self.charges += 1,
        }
        self.account = Account::Charged;
        CHARGED
    }
}
