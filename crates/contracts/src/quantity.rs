//! How many of one dish: a small number, and never none.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

/// How many of one dish, from 1 to [`Quantity::MAX`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(try_from = "i64", into = "u32")]
#[schema(value_type = u32, minimum = 1, maximum = 100, example = 2)]
pub struct Quantity(u32);

/// A quantity that nobody can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a quantity must be from 1 to {max}, not {0}", max = Quantity::MAX)]
pub struct QuantityError(pub i64);

impl Quantity {
    /// A single one.
    pub const ONE: Self = Self(1);
    /// The most of one dish that an order may ask for. Beyond it a slip is likelier than a wish.
    pub const MAX: u32 = 100;

    /// Checks a number.
    ///
    /// # Errors
    /// When it is below 1 or above [`Self::MAX`].
    pub fn new(number: i64) -> Result<Self, QuantityError> {
        match u32::try_from(number) {
            Ok(quantity @ 1..=Self::MAX) => Ok(Self(quantity)),
            _ => Err(QuantityError(number)),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        Self::new(number)
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 1, "maximum": Self::MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_from_one_to_the_most() {
        let good = |n| Quantity::new(n).map(Quantity::get);
        assert_eq!(good(1), Ok(1));
        assert_eq!(good(100), Ok(100));
        for bad in [i64::MIN, -1, 0, 101, i64::MAX] {
            assert_eq!(good(bad), Err(QuantityError(bad)));
        }
    }

    #[test]
    fn json_is_checked_like_everything_else() {
        assert!(serde_json::from_str::<Quantity>("3").is_ok());
        let error = serde_json::from_str::<Quantity>("0")
            .unwrap_err()
            .to_string();
        assert_eq!(error, "a quantity must be from 1 to 100, not 0");
    }
}
