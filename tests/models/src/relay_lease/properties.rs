//! What must hold in every state, what must be reached in the end, and what must be possible.

use stateright::Property;

use super::{Breach, Lease, World, Writer, leaf_of};
use crate::cursor::Cursor;

pub(super) fn all() -> Vec<Property<Lease>> {
    let always = [
        (
            "per key, rows first appear in the order of commits",
            (|_, world| {
                let mut keys = world.log.iter().zip(&world.committed);
                keys.all(|(log, committed)| committed.starts_with(log))
            }) as fn(&Lease, &World) -> bool,
        ),
        (
            "the cursor passes no row that is not published",
            |_, world| passes_published_rows_only(world, &world.shard.cursor),
        ),
        (
            "nobody takes a row for published that is not",
            |_, world| {
                let mut owners = world.relays.iter().filter_map(|relay| relay.owner.as_ref());
                owners.all(|owner| passes_published_rows_only(world, &owner.landed))
            },
        ),
        ("a former owner does not move the cursor", |_, world| {
            !world.breaches.contains(&Breach::MovedByAFormerOwner)
        }),
        ("the cursor forgets nothing that it passed", |_, world| {
            !world.breaches.contains(&Breach::WentBack)
        }),
        ("nothing is truncated that is not published", |_, world| {
            world.truncated.iter().all(|id| world.is_published(*id))
        }),
        ("one process at most holds the lease", |_, world| {
            let owners = world.relays.iter().filter_map(|it| it.owner.as_ref());
            let now = owners.filter(|owner| owner.epoch == world.shard.epoch);
            now.count() <= 1
        }),
    ];
    let sometimes = [
        (
            "two processes send at the same time",
            (|_, world| {
                let sending = world.relays.iter().filter(|it| !it.queue.is_empty());
                sending.count() > 1
            }) as fn(&Lease, &World) -> bool,
        ),
        ("a row is repeated", |_, world| world.repeats()),
        (
            "what a discarded producer left continues the log",
            |_, world| {
                let mut next = world.remains.iter().filter_map(|rows| rows.first());
                next.any(|id| !world.is_published(*id))
            },
        ),
        (
            "a former owner sends what nobody has sent yet",
            |_, world| {
                let former = world.relays.iter().filter(|relay| {
                    let owner = relay.owner.as_ref();
                    owner.is_some_and(|owner| owner.epoch < world.shard.epoch)
                });
                let mut sending = former.flat_map(|relay| &relay.queue);
                sending.any(|(id, _)| !world.is_published(*id))
            },
        ),
        ("a row is published behind the cursor", |lease, world| {
            let holes = |id: &i64| world.shard.cursor.holes().contains(*id);
            world.log.iter().flatten().any(holes) || !lease.has_several_keys()
        }),
        ("a hole is buried", |lease, world| {
            let rolled_back = |writer: &Writer| match writer {
                Writer::RolledBack(id) => !world.shard.cursor.misses(*id),
                _ => false,
            };
            world.writers.iter().any(rolled_back) || !lease.rolls_back
        }),
        ("a leaf is used again", |lease, world| {
            let again = |id: &i64| {
                let mut truncated = world.truncated.iter();
                truncated.any(|old| leaf_of(*old) == leaf_of(*id))
            };
            world.visible().any(|id| again(&id)) || !lease.goes_round()
        }),
    ];
    let always = always.map(|(name, holds)| Property::always(name, holds));
    let sometimes = sometimes.map(|(name, holds)| Property::sometimes(name, holds));
    // Exact here, where it is not in general: no state is reached twice on one way, and this end is the end.
    let ends = Property::eventually(
        "in the end all rows are published and gone, and no hole is left",
        |_, world: &World| {
            let done =
                |writer: &Writer| matches!(writer, Writer::Committed(_) | Writer::RolledBack(_));
            let published = world.committed.iter().flatten();
            let mut published =
                published.map(|id| world.is_published(*id) && !world.shard.cursor.misses(*id));
            world.writers.iter().all(done)
                && published.all(|published| published)
                && world.visible().next().is_none()
                && world.shard.cursor.holes().is_empty()
        },
    );
    always.into_iter().chain(sometimes).chain([ends]).collect()
}

/// Whatever is committed, or may still be, is published where the cursor has passed it.
fn passes_published_rows_only(world: &World, cursor: &Cursor) -> bool {
    let mut rows = world
        .committed
        .iter()
        .flatten()
        .copied()
        .chain(world.open());
    rows.all(|id| cursor.misses(id) || world.is_published(id))
}
