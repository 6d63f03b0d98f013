//! Money: whole minor units of one currency, never negative, and never rounded.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::Quantity;

/// Why an amount of money cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// Prices, totals and holds are amounts that somebody owes: there is no negative one.
    #[error("amount must not be negative, and {0} is")]
    Negative(i64),
    /// A currency is named by three upper-case letters.
    #[error("currency must be three upper-case letters like EUR, not `{0}`")]
    Currency(String),
    /// Two currencies do not add up.
    #[error("{0} and {1} are different currencies")]
    Mixed(Currency, Currency),
    /// More than 64 bits of minor units.
    #[error("the amount is too large to be counted")]
    Overflow,
}

/// A currency: an ISO 4217 code in its form. Which codes exist is not checked here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
#[schema(value_type = String, pattern = "^[A-Z]{3}$", example = "EUR")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII letters get in, so this never takes the default.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(MoneyError::Currency(code.to_owned())),
        }
    }
}

impl TryFrom<Cow<'_, str>> for Currency {
    type Error = MoneyError;

    fn try_from(code: Cow<'_, str>) -> Result<Self, Self::Error> {
        code.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{3}$" })
    }
}

/// An amount of one currency: a price, a total, a hold.
///
/// On the wire `{"amount": 1250, "currency": "EUR"}`. The two fields are all of it: unlike a
/// message, it refuses a third one, which could only mean a different amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(try_from = "Unchecked")]
#[schemars(!try_from, deny_unknown_fields)]
pub struct Money {
    /// Minor units (cents), zero or more.
    #[schemars(range(min = 0))]
    #[schema(minimum = 0, example = 1250)]
    amount: i64,
    /// The currency that they are units of.
    currency: Currency,
}

/// The wire form of [`Money`], before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "Money")]
struct Unchecked {
    amount: i64,
    currency: Currency,
}

impl TryFrom<Unchecked> for Money {
    type Error = MoneyError;

    fn try_from(money: Unchecked) -> Result<Self, Self::Error> {
        Self::new(money.amount, money.currency)
    }
}

impl Money {
    /// An amount of `amount` minor units.
    ///
    /// # Errors
    /// When it is negative.
    pub const fn new(amount: i64, currency: Currency) -> Result<Self, MoneyError> {
        if amount < 0 {
            return Err(MoneyError::Negative(amount));
        }
        Ok(Self { amount, currency })
    }

    /// Nothing, in a currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self {
            amount: 0,
            currency,
        }
    }

    /// The minor units.
    #[must_use]
    pub const fn amount(self) -> i64 {
        self.amount
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Both amounts together.
    ///
    /// # Errors
    /// When the currencies differ, or the sum does not fit.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        let amount = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The price of that many.
    ///
    /// # Errors
    /// When the product does not fit.
    pub fn times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        let product = self.amount.checked_mul(i64::from(quantity.get()));
        Ok(Self {
            amount: product.ok_or(MoneyError::Overflow)?,
            ..self
        })
    }
}

impl fmt::Display for Money {
    /// Minor units and currency, since not every currency has hundredths: `1250 EUR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn euros(amount: i64) -> Money {
        Money::new(amount, Currency::EUR).unwrap()
    }

    #[test]
    fn amounts_add_up_and_multiply() {
        assert_eq!(euros(1250).plus(euros(50)), Ok(euros(1300)));
        assert_eq!(
            euros(1250).times(Quantity::new(3).unwrap()),
            Ok(euros(3750))
        );
        assert_eq!(Money::zero(Currency::EUR).plus(euros(1)), Ok(euros(1)));
    }

    #[test]
    fn what_cannot_be_counted_is_refused() {
        assert_eq!(euros(i64::MAX).plus(euros(1)), Err(MoneyError::Overflow));
        let two = Quantity::new(2).unwrap();
        assert_eq!(euros(i64::MAX).times(two), Err(MoneyError::Overflow));
    }

    #[test]
    fn currencies_do_not_mix() {
        let usd = Currency::from_str("USD").unwrap();
        let mixed = euros(1).plus(Money::zero(usd));
        assert_eq!(mixed, Err(MoneyError::Mixed(Currency::EUR, usd)));
    }

    #[test]
    fn json_is_checked_like_everything_else() {
        let read = serde_json::from_str::<Money>;
        assert_eq!(
            read(r#"{"amount":1250,"currency":"EUR"}"#).unwrap(),
            euros(1250)
        );
        for bad in [
            r#"{"amount":-1,"currency":"EUR"}"#,
            r#"{"amount":1.5,"currency":"EUR"}"#,
            r#"{"amount":1,"currency":"eur"}"#,
            r#"{"amount":1,"currency":"EURO"}"#,
            r#"{"amount":1,"currency":"ÄU"}"#,
            r#"{"amount":1,"currency":"EUR","scale":3}"#,
            r#"{"amount":9223372036854775808,"currency":"EUR"}"#,
            r#"{"amount":1}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
