//! The cards of the simulator: each stands for a way to behave.

use chrono::{DateTime, Datelike, Utc};

/// A card as it is typed in. It has no `Debug`, so that it cannot get into a log.
pub struct Card<'a> {
    /// The number; spaces and dashes do not count.
    pub number: &'a str,
    /// 1 to 12.
    pub expiry_month: u8,
    /// With its century.
    pub expiry_year: u16,
    /// Three digits, four for American Express.
    pub cvc: &'a str,
}

/// What is kept of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised<'a> {
    /// How it behaves.
    pub behaviour: Behaviour,
    /// `visa`, `mastercard` or `amex`.
    pub brand: &'static str,
    /// The last four digits.
    pub last4: &'a str,
}

/// How a card behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Every hold is approved.
    Approves,
    /// Every hold is declined.
    Declines,
    /// Every hold is declined, for want of money.
    LacksFunds,
    /// Approved, but the first answer to each key comes late.
    AnswersLate,
    /// Approved, but the first answer to each key is lost on its way.
    LosesAnswers,
}

/// Why a card gets no token. Does not repeat what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The field, as clients write it.
    pub field: &'static str,
    /// What is wrong with it.
    pub detail: &'static str,
}

/// All cards there are. Any other is refused: a real card must not be typed into a simulator.
const CARDS: [(&str, &str, Behaviour); 8] = [
    ("4242424242424242", "visa", Behaviour::Approves),
    ("4111111111111111", "visa", Behaviour::Approves),
    ("5555555555554444", "mastercard", Behaviour::Approves),
    ("378282246310005", "amex", Behaviour::Approves),
    ("4000000000000002", "visa", Behaviour::Declines),
    ("4000000000009995", "visa", Behaviour::LacksFunds),
    ("4000000000000259", "visa", Behaviour::AnswersLate),
    ("4000000000000119", "visa", Behaviour::LosesAnswers),
];

impl Card<'_> {
    /// Finds out what there is to know about the card.
    ///
    /// # Errors
    /// It is none of the simulator's cards, has expired, or its CVC cannot be right.
    pub fn recognise(&self, now: DateTime<Utc>) -> Result<Recognised<'static>, Refusal> {
        let digits = self
            .number
            .bytes()
            .filter(|byte| !matches!(byte, b' ' | b'-'));
        let (number, brand, behaviour) = CARDS
            .iter()
            .find(|(number, ..)| number.bytes().eq(digits.clone()))
            .ok_or(Refusal {
                field: "cardNumber",
                detail: "is not one of the simulator's cards",
            })?;
        if !(1..=12).contains(&self.expiry_month) {
            return Err(Refusal {
                field: "expiryMonth",
                detail: "must be 1 to 12",
            });
        }
        if (i32::from(self.expiry_year), u32::from(self.expiry_month)) < (now.year(), now.month()) {
            return Err(Refusal {
                field: "expiryYear",
                detail: "the card has expired",
            });
        }
        let length = if *brand == "amex" { 4 } else { 3 };
        if self.cvc.len() != length || !self.cvc.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal {
                field: "cvc",
                detail: "must be three digits, four for American Express",
            });
        }
        Ok(Recognised {
            behaviour: *behaviour,
            brand,
            last4: &number[number.len() - 4..],
        })
    }
}

impl Behaviour {
    const ALL: [Self; 5] = [
        Self::Approves,
        Self::Declines,
        Self::LacksFunds,
        Self::AnswersLate,
        Self::LosesAnswers,
    ];

    /// Its name in the table of tokens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approves => "APPROVES",
            Self::Declines => "DECLINES",
            Self::LacksFunds => "LACKS_FUNDS",
            Self::AnswersLate => "ANSWERS_LATE",
            Self::LosesAnswers => "LOSES_ANSWERS",
        }
    }

    /// The behaviour of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|behaviour| behaviour.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    fn card(number: &str) -> Card<'_> {
        Card {
            number,
            expiry_month: 11,
            expiry_year: 2026,
            cvc: "123",
        }
    }

    #[test]
    fn a_card_is_good_to_the_end_of_its_last_month() {
        assert!(card("4242424242424242").recognise(now()).is_ok());
        let expired = Card {
            expiry_month: 10,
            ..card("4242424242424242")
        };
        assert_eq!(expired.recognise(now()).unwrap_err().field, "expiryYear");
    }

    #[test]
    fn groups_of_digits_are_understood_and_only_the_last_is_kept() {
        let recognised = card("5555 5555-5555 4444").recognise(now()).unwrap();
        assert_eq!((recognised.brand, recognised.last4), ("mastercard", "4444"));
    }

    #[test]
    fn a_card_that_could_be_real_is_refused() {
        for number in ["4012888888881881", "", "4242", "４２４２"] {
            assert_eq!(
                card(number).recognise(now()).unwrap_err().field,
                "cardNumber"
            );
        }
    }

    #[test]
    fn every_card_has_a_correct_check_digit() {
        for (number, ..) in CARDS {
            let sum: u32 = number
                .bytes()
                .rev()
                .map(|byte| u32::from(byte - b'0'))
                .enumerate()
                .map(|(place, digit)| {
                    if place % 2 == 0 {
                        digit
                    } else {
                        digit * 2 % 10 + digit / 5
                    }
                })
                .sum();
            assert_eq!(sum % 10, 0, "{number}");
        }
    }
}
