//! What the gateway can be asked to do with money, and what it answers.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Action, Amount, Authorisation, Reason, State};

/// Something to be done once per idempotency key. Its `Display` is its fingerprint: what the same request is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Hold an amount on the card behind a token.
    Authorise {
        /// Stands for the card.
        token: String,
        /// What the merchant calls it.
        reference: String,
        /// How much.
        amount: Amount,
    },
    /// Do something to an authorisation.
    Act {
        /// What.
        action: Action,
        /// To which.
        authorisation: Uuid,
    },
}

/// What was done. Asked again with the same key, the same is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The authorisation.
    pub authorisation_id: Uuid,
    /// Where it stands now.
    pub state: State,
    /// What became of a hold; absent in the answers of actions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// What became of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// The amount is reserved.
    Approved,
    /// It is not.
    Declined,
}

impl Answer {
    /// The answer to a hold.
    #[must_use]
    pub const fn decided(authorisation: &Authorisation, reason: Option<Reason>) -> Self {
        let outcome = if reason.is_some() {
            Outcome::Declined
        } else {
            Outcome::Approved
        };
        Self {
            outcome: Some(outcome),
            reason,
            ..Self::done(authorisation)
        }
    }

    /// The answer to an action.
    #[must_use]
    pub const fn done(authorisation: &Authorisation) -> Self {
        Self {
            authorisation_id: authorisation.id,
            state: authorisation.state,
            outcome: None,
            reason: None,
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorise {
                token,
                reference,
                amount: Amount { amount, currency },
            } => {
                write!(
                    f,
                    "authorise {amount} {currency} on {token} for {reference}"
                )
            }
            Self::Act {
                action,
                authorisation,
            } => write!(f, "{} {authorisation}", action.as_str()),
        }
    }
}
