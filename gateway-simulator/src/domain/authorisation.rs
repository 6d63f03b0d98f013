//! A hold on a card and what may become of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Behaviour;

/// The largest amount of one hold: whatever it is, sums of it stay far from the end of an i64.
const MOST: i64 = 1_000_000_000_000;

/// Money in minor units.
#[derive(
    Debug, Clone, PartialEq, Eq, Serialize, Deserialize, garde::Validate, utoipa::ToSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// How many minor units.
    #[garde(range(min = 1, max = MOST))]
    #[schema(minimum = 1, example = 1250)]
    pub amount: i64,
    /// ISO 4217.
    #[garde(custom(three_capitals))]
    #[schema(pattern = "^[A-Z]{3}$", example = "EUR")]
    pub currency: String,
}

/// What is known of one authorisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// Its id.
    pub id: Uuid,
    /// What the merchant calls it: here, the id of the order.
    pub reference: String,
    /// How much.
    pub amount: Amount,
    /// Where it stands.
    pub state: State,
}

/// Where an authorisation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// The amount is reserved.
    Held,
    /// It was refused.
    Declined,
    /// The amount was taken.
    Captured,
    /// The reservation was given up.
    Voided,
    /// The amount was taken and given back.
    Refunded,
}

/// What can be done to an authorisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Take the amount.
    Capture,
    /// Give up the reservation.
    Void,
    /// Give the amount back.
    Refund,
}

/// What an entry of the ledger says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Entry {
    /// An amount was reserved.
    Hold,
    /// A reservation was refused.
    Decline,
    /// An amount was taken.
    Charge,
    /// A reservation was given up.
    Void,
    /// An amount was given back.
    Refund,
}

/// Why a hold was declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// The issuer does not say why.
    CardDeclined,
    /// There is not enough money.
    InsufficientFunds,
}

/// An action that the state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an authorisation that is {state} cannot be {}", action.participle())]
pub struct Illegal {
    /// Where the authorisation stands.
    pub state: State,
    /// What was asked for.
    pub action: Action,
}

impl Authorisation {
    /// Decides about a hold on a card that behaves like this.
    #[must_use]
    pub fn decide(
        id: Uuid,
        behaviour: Behaviour,
        reference: String,
        amount: Amount,
    ) -> (Self, Option<Reason>) {
        let reason = match behaviour {
            Behaviour::Declines => Some(Reason::CardDeclined),
            Behaviour::LacksFunds => Some(Reason::InsufficientFunds),
            Behaviour::Approves | Behaviour::AnswersLate | Behaviour::LosesAnswers => None,
        };
        let state = if reason.is_none() {
            State::Held
        } else {
            State::Declined
        };
        (
            Self {
                id,
                reference,
                amount,
                state,
            },
            reason,
        )
    }

    /// Does `action`.
    ///
    /// # Errors
    /// The state does not allow it.
    pub const fn apply(&mut self, action: Action) -> Result<(), Illegal> {
        self.state = match (self.state, action) {
            (State::Held, Action::Capture) => State::Captured,
            (State::Held, Action::Void) => State::Voided,
            (State::Captured, Action::Refund) => State::Refunded,
            (state, action) => return Err(Illegal { state, action }),
        };
        Ok(())
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is garde's"
)]
fn three_capitals(currency: &str, (): &()) -> garde::Result {
    if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(garde::Error::new(
        "must be three capital letters (ISO 4217)",
    ))
}

impl State {
    const ALL: [Self; 5] = [
        Self::Held,
        Self::Declined,
        Self::Captured,
        Self::Voided,
        Self::Refunded,
    ];

    /// Its name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "HELD",
            Self::Declined => "DECLINED",
            Self::Captured => "CAPTURED",
            Self::Voided => "VOIDED",
            Self::Refunded => "REFUNDED",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// What the ledger says of an authorisation that got here.
    #[must_use]
    pub const fn entry(self) -> Entry {
        match self {
            Self::Held => Entry::Hold,
            Self::Declined => Entry::Decline,
            Self::Captured => Entry::Charge,
            Self::Voided => Entry::Void,
            Self::Refunded => Entry::Refund,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Action {
    const fn participle(self) -> &'static str {
        match self {
            Self::Capture => "captured",
            Self::Void => "voided",
            Self::Refund => "refunded",
        }
    }

    /// Its name, as in a path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }
}

impl Entry {
    /// Its name, as in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "HOLD",
            Self::Decline => "DECLINE",
            Self::Charge => "CHARGE",
            Self::Void => "VOID",
            Self::Refund => "REFUND",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(behaviour: Behaviour) -> (Authorisation, Option<Reason>) {
        let amount = Amount {
            amount: 1_250,
            currency: "EUR".to_owned(),
        };
        Authorisation::decide(Uuid::nil(), behaviour, "order".to_owned(), amount)
    }

    #[test]
    fn the_card_decides() {
        assert_eq!(decided(Behaviour::Approves).0.state, State::Held);
        let (declined, reason) = decided(Behaviour::LacksFunds);
        assert_eq!(
            (declined.state, reason),
            (State::Declined, Some(Reason::InsufficientFunds))
        );
    }

    #[test]
    fn money_moves_once_in_each_direction_and_only_what_is_held_is_given_up() {
        use Action::{Capture, Refund, Void};
        let legal = |actions: &[Action]| {
            let (mut authorisation, _) = decided(Behaviour::Approves);
            actions
                .iter()
                .try_for_each(|action| authorisation.apply(*action))
                .is_ok()
        };
        for allowed in [&[Capture][..], &[Void], &[Capture, Refund]] {
            assert!(legal(allowed), "{allowed:?}");
        }
        for refused in [
            &[Refund][..],
            &[Capture, Capture],
            &[Capture, Void],
            &[Void, Capture],
            &[Void, Void],
        ] {
            assert!(!legal(refused), "{refused:?}");
        }
        assert!(!legal(&[Capture, Refund, Refund]));
        let (mut declined, _) = decided(Behaviour::Declines);
        let refusal = declined.apply(Capture).unwrap_err().to_string();
        assert_eq!(
            refusal,
            "an authorisation that is DECLINED cannot be captured"
        );
    }
}
