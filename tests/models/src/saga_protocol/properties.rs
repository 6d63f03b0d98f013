//! What must hold in every state, what must be reached in the end, and what must be possible.

use saga::State;
use stateright::Property;

use super::{
    Account, Booking, Breach, End, Protocol, Work, World,
    definition::{
        BOOK, CANCEL_BOOKING, CHARGE, DECLINED, HELD, HOLD, MAKE, MAY_CANCEL, STOPPED, TOO_LATE,
        UNBOOK, VOID,
    },
};

/// An undo, and what it undoes.
const UNDOS: [(&str, &str); 3] = [(VOID, HOLD), (UNBOOK, BOOK), (CANCEL_BOOKING, BOOK)];

pub(super) fn all() -> Vec<Property<Protocol>> {
    let always = [
        (
            "no compensation before its action",
            follows as fn(&Protocol, &World) -> bool,
        ),
        ("no command is said twice", said_once),
        ("nothing is done twice", |_, world| {
            let it = &world.participants;
            let often = [it.bookings, it.releases, it.holds, it.voids, it.charges];
            often.iter().all(|times| *times <= 1)
        }),
        (
            "only a cancellation leads back from behind the pivot",
            |_, world| {
                let back =
                    world.instance.is_going_back() || world.instance.state == State::RolledBack;
                !(world.was_behind_the_pivot && back) || world.instance.memory.cancelling
            },
        ),
        (
            "an end is what the data says it is",
            |_, world| match world.instance.state {
                State::Completed => world.trade.end == Some(End::Done),
                State::RolledBack => {
                    let cancelled = world.instance.memory.cancelling;
                    let end = [End::Refused, End::Cancelled][usize::from(cancelled)];
                    world.trade.end == Some(end)
                }
                _ => world.trade.end.is_none(),
            },
        ),
        ("what the arbiter stopped is never completed", |_, world| {
            let stopped = world.participants.work == Work::Stopped;
            !stopped || !matches!(world.instance.state, State::Completed)
        }),
        ("who is refused a cancellation goes on", |_, world| {
            let refused = world.was_answered(MAY_CANCEL, TOO_LATE);
            !(refused && world.trade.end.is_some()) || world.trade.end == Some(End::Done)
        }),
        ("one answer is awaited, or none", |_, world| {
            let awaits = matches!(
                world.instance.state,
                State::Forward | State::Backward | State::Cancelling | State::Stuck
            );
            awaits == world.instance.awaited.is_some()
        }),
        ("money is not both taken and let go", |_, world| {
            world.participants.charges == 0 || world.participants.voids == 0
        }),
        ("no money is taken that is not held", |_, world| {
            world.participants.charges <= world.participants.holds
        }),
        (
            "no money is taken for what did not come about",
            |_, world| {
                let none = matches!(world.trade.end, Some(End::Refused | End::Cancelled));
                !none || world.participants.charges == 0
            },
        ),
        ("nothing is left held or booked", |_, world| {
            let it = &world.participants;
            let left = it.account == Account::Held || it.booking == Booking::Booked;
            world.instance.state != State::RolledBack || !left
        }),
        ("an end has the word of all whom it needed", word_of_all),
        ("what is done was done by all", |_, world| {
            let it = &world.participants;
            let all = (it.booking, it.account, it.work)
                == (Booking::Booked, Account::Charged, Work::Made);
            world.instance.state != State::Completed || all
        }),
        ("every input can be applied", |_, world| {
            without(world, Breach::Fault)
        }),
        ("what is stale has no effect", |_, world| {
            without(world, Breach::StaleHadEffect)
        }),
        ("what is sent again is the awaited command", |_, world| {
            without(world, Breach::AnotherAgain)
        }),
        (
            "a new command has a new id and is the awaited one",
            |_, world| without(world, Breach::AnotherCommand),
        ),
        ("an end is the end", |_, world| {
            without(world, Breach::MovedAfterTheEnd)
        }),
    ];
    let sometimes = [
        (
            "it is completed",
            (|_, world| world.instance.state == State::Completed) as fn(&Protocol, &World) -> bool,
        ),
        ("a refusal leads back", |_, world| {
            rolled_back(world, End::Refused) && !world.gave_up
        }),
        ("silence leads back", |_, world| {
            rolled_back(world, End::Refused) && world.gave_up
        }),
        ("it is cancelled before the arbiter is told", |_, world| {
            rolled_back(world, End::Cancelled) && world.sent(MAKE).next().is_none()
        }),
        (
            "it is cancelled with the arbiter's word, behind the pivot",
            |_, world| {
                rolled_back(world, End::Cancelled) && world.was_answered(MAY_CANCEL, STOPPED)
            },
        ),
        ("it is too late to cancel it", |_, world| {
            world.instance.state == State::Completed && world.was_answered(MAY_CANCEL, TOO_LATE)
        }),
        ("a late hold is let go", |_, world| {
            let it = &world.participants;
            world.instance.state == State::RolledBack && !world.trade.held && it.voids == 1
        }),
        (
            "a hold that comes after its undo is declined",
            |_, world| {
                let none = world.participants.holds == 0;
                none && world.was_answered(HOLD, DECLINED)
                    && world.sent(VOID).any(|void| !void.replies.is_empty())
            },
        ),
        ("money is held before anybody knows", |_, world| {
            world.was_answered(HOLD, HELD) && !world.trade.held
        }),
        ("an event comes early and is kept", |_, world| {
            !world.instance.memory.kept.is_empty()
        }),
        ("it is stuck behind the pivot", |_, world| {
            world.instance.state == State::Stuck && world.sent(CHARGE).next().is_some()
        }),
        ("it is stuck on its way back", |_, world| {
            world.instance.state == State::Stuck && world.instance.is_going_back()
        }),
    ];
    let always = always.map(|(name, holds)| Property::always(name, holds));
    let sometimes = sometimes.map(|(name, holds)| Property::sometimes(name, holds));
    // Exact here, where it is not in general: no state is reached twice on one way (every step uses up an attempt, a
    // request or an intervention, or adds to what was done or heard), and an end is the end.
    let ends = Property::eventually("it ends", |_, world: &World| !world.instance.is_alive());
    always.into_iter().chain(sometimes).chain([ends]).collect()
}

fn without(world: &World, breach: Breach) -> bool {
    !world.breaches.contains(&breach)
}

fn rolled_back(world: &World, end: End) -> bool {
    world.instance.state == State::RolledBack && world.trade.end == Some(end)
}

fn follows(_: &Protocol, world: &World) -> bool {
    let place = |kind: &str| world.commands.iter().position(|it| it.kind == kind);
    let mut undos = UNDOS.iter();
    undos.all(|(undo, action)| match (place(undo), place(action)) {
        (Some(undo), Some(action)) => action < undo,
        (undo, _) => undo.is_none(),
    })
}

/// But for the arbiter, who may be asked again after he refused.
fn said_once(_: &Protocol, world: &World) -> bool {
    let others = |kind: &str| kind != MAY_CANCEL;
    let mut kinds = world.commands.iter().map(|command| command.kind.as_str());
    kinds.all(|kind| !others(kind) || world.sent(kind).count() == 1)
}

/// The undos that were asked for are confirmed when the saga ends, and the steps are when it is completed.
fn word_of_all(_: &Protocol, world: &World) -> bool {
    let is_undo = |kind: &str| UNDOS.iter().any(|(undo, _)| *undo == kind);
    match world.instance.state {
        State::Completed => world.commands.iter().all(|it| !it.replies.is_empty()),
        State::RolledBack => {
            let mut undos = world.commands.iter().filter(|it| is_undo(&it.kind));
            undos.all(|undo| !undo.replies.is_empty())
        }
        _ => true,
    }
}
