//! How an order goes on, is rejected, or is cancelled: the semantic lock of a cancellation is here.

use contracts::{Code, Illegal, Machine, OrderState, Party, Reason, Rejection};

use super::Order;

impl Order {
    /// The order comes to `state`: openly, or behind the lock of a cancellation that is not decided.
    ///
    /// # Errors
    /// There is no way from where it is.
    pub fn advance_to(&mut self, state: OrderState) -> Result<(), Illegal> {
        match &mut self.held_state {
            Some(held) => *held = held.move_to(state)?,
            None => self.state = self.state.move_to(state)?,
        }
        Ok(())
    }

    /// Somebody wants it to be cancelled: from now on it shows that, until it is decided.
    ///
    /// # Errors
    /// It is beyond being cancelled.
    pub fn ask_to_cancel(&mut self) -> Result<(), Illegal> {
        let held = self.state;
        self.state = self.state.move_to(OrderState::CancelPending)?;
        self.held_state = Some(held);
        Ok(())
    }

    /// It is too late to cancel it: it goes on where it is by now.
    ///
    /// # Errors
    /// Nobody had asked for it to be cancelled.
    pub fn carry_on(&mut self) -> Result<(), Illegal> {
        let held = self.held_state.take().unwrap_or(self.state);
        self.state = self.state.move_to(held)?;
        Ok(())
    }

    /// Everything is undone, because somebody wanted it to be cancelled. That somebody else refused it meanwhile does
    /// not matter any more.
    ///
    /// # Errors
    /// Nobody had asked for it to be cancelled.
    pub fn cancel(&mut self) -> Result<(), Illegal> {
        self.state = self.state.move_to(OrderState::Cancelled)?;
        (self.held_state, self.rejection) = (None, None);
        Ok(())
    }

    /// An operator takes it back: nobody refused it, and nobody was late. Who and why is the saga's to tell, not the
    /// customer's to read.
    pub fn refused_by_operator(&mut self) {
        self.rejection = Some(Rejection {
            by: Party::Order,
            reason: Reason::new(Code::SENT_BACK, "We had to take the order back."),
        });
    }

    /// Everything is undone. An order that nobody refused was left without an answer.
    ///
    /// # Errors
    /// It is beyond being rejected.
    pub fn reject(&mut self) -> Result<(), Illegal> {
        self.state = self.state.move_to(OrderState::Rejected)?;
        self.rejection.get_or_insert_with(|| Rejection {
            by: Party::Order,
            reason: Reason::new(Code::NO_ANSWER, "A participant did not answer in time."),
        });
        Ok(())
    }
}
