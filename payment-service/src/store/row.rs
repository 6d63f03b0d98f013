//! A payment on its way between the table and those who decide about it.

use sea_orm::DbErr;

use super::payment::Model;
use crate::domain::{Command, Payment};

/// A payment, and what the table holds of it.
#[derive(Debug, Clone)]
pub struct Row {
    /// The payment as it is to be.
    pub payment: Payment,
    /// The payment as it is in the table, and the revision there.
    stored: Option<(Payment, i64)>,
}

impl Row {
    /// A payment that the table does not have yet.
    #[must_use]
    pub const fn new(payment: Payment) -> Self {
        Self {
            payment,
            stored: None,
        }
    }

    /// The revision in the table; 0 when it is not there.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.stored.as_ref().map_or(0, |(_, revision)| *revision)
    }

    /// Whether there is anything to save.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.stored
            .as_ref()
            .is_none_or(|(stored, _)| *stored != self.payment)
    }

    /// The call that the table does not know yet: whoever saves the row has it to make.
    #[must_use]
    pub fn opened(&self) -> Option<Command> {
        let stored = self.stored.as_ref().and_then(|(stored, _)| stored.call);
        self.payment
            .call
            .filter(|call| stored.is_none_or(|stored| stored.id != call.id))
    }

    /// The same row after it was saved.
    #[must_use]
    pub fn saved(self) -> Self {
        let revision = self.revision() + 1;
        Self {
            stored: Some((self.payment.clone(), revision)),
            ..self
        }
    }
}

impl TryFrom<Model> for Row {
    type Error = DbErr;

    fn try_from(model: Model) -> Result<Self, DbErr> {
        let revision = model.revision;
        let payment = Payment::try_from(model)?;
        Ok(Self {
            stored: Some((payment.clone(), revision)),
            payment,
        })
    }
}
