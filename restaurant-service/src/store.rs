//! The tables `restaurants`, `menu_items` and `tickets`.

mod item;
mod restaurant;
pub mod restaurants;
mod ticket;
pub mod tickets;

use messaging::retention::Finished;

use crate::domain::Ticket;

/// A ticket has ended when nothing can follow any more.
pub const FINISHED: Finished = Finished {
    table: "tickets",
    key: "order_id",
    ended: "state IN ('COMPLETE', 'REJECTED', 'CANCELLED')",
    along: &[],
};

/// A ticket, and whether the table has it.
#[derive(Debug, Clone)]
pub enum Row {
    /// To be inserted.
    New(Ticket),
    /// Locked, and to be updated.
    Known(Ticket),
}

impl Row {
    /// The ticket.
    #[must_use]
    pub const fn ticket(&self) -> &Ticket {
        match self {
            Self::New(ticket) | Self::Known(ticket) => ticket,
        }
    }

    /// The ticket, to be changed.
    pub const fn ticket_mut(&mut self) -> &mut Ticket {
        match self {
            Self::New(ticket) | Self::Known(ticket) => ticket,
        }
    }
}
