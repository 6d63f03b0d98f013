//! Dead letters: messages that could not be handled, kept in their consumer's own database until an operator has decided
//! about them.
//!
//! Parked messages of one key stand in a *line*, in the order in which they came. The first has failed, with a reason;
//! those behind it wait, and later messages of the key join them: other keys go on. A message that has failed is also
//! announced on `<topic>.dlq`, through the outbox like everything else.
//!
//! An operator looks ([`letters`], [`content`], [`deeds`]), asks for a replay ([`request_replay`]) or discards
//! ([`discard`]). A replay is done by the consumer's own process, with its own handler
//! ([`Processor::replay`](crate::Processor::replay)): message by message from the head of the line, each in a
//! transaction that does what a batch does and takes the message out of the line. Where one fails again, it stays, and
//! the rest goes on waiting.
//!
//! # Newcomers
//!
//! A message that comes while its line is being replayed must join the line as long as there is one, and must not join one
//! that is gone. Both sides meet at the line's row in `parked_line`:
//!
//! - A batch looks its keys up there ([`crate::inbox`]) and holds the rows that it finds `FOR KEY SHARE` until it has
//!   committed. What it parks joins a line that stays at least as long.
//! - A replay (and a discard) locks the row `FOR UPDATE` before it looks who stands in the line, and removes it in the
//!   transaction in which the last message leaves. So it sees everybody who joined. A batch that meets this lock waits for
//!   the commit; Postgres then looks at the row again, and finds it either still there or gone. If it is gone, everything
//!   before the newcomer has been handled, and it is the newcomer's turn.
//!
//! A batch that finds no line is right without any lock: only it, or an earlier batch of its partition, could have made a
//! line of which its messages must know. (Between topics there is no order.) Whoever locks a line and an aggregate
//! takes the line first. Where nothing is parked, the look-up meets an empty table, and nothing is locked.

mod copy;
mod deed;
mod discard;
mod letter;
mod line;
mod park;
mod request;

pub(crate) use copy::copy;
pub use deed::{Action, Deed, deeds, last_deed};
pub use discard::{Discarded, discard};
pub use letter::{Content, Filter, Letter, Tables, content, count, letters, tables};
pub(crate) use line::{Turn, failed, first, leave, size, turns};
pub(crate) use park::{Condemned, Parked, park};
pub use request::{Line, Request, lines, outstanding, request_replay};
