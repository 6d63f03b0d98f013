//! What was ordered: some dishes, each of them once.

use std::collections::HashSet;

use contracts::{MenuItemId, OrderItem};
use serde::{Deserialize, Serialize};

/// What was ordered: from one to [`Items::MAX`] dishes, each of them once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Items(Vec<OrderItem>);

/// A list of dishes that is no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ItemsError {
    /// Nothing was ordered.
    #[error("an order has one dish at least")]
    Empty,
    /// More than one kitchen could mean.
    #[error("an order has {max} dishes at most, not {0}", max = Items::MAX)]
    TooMany(usize),
    /// A dish stands there twice, so that its quantity is not clear.
    #[error("dish {0} is listed twice: add the quantities up")]
    Repeated(MenuItemId),
}

impl Items {
    /// The most different dishes that an order may have.
    pub const MAX: usize = 50;

    /// Checks a list.
    ///
    /// # Errors
    /// See [`ItemsError`].
    pub fn new(items: Vec<OrderItem>) -> Result<Self, ItemsError> {
        Self::check(items.iter().map(|item| item.menu_item_id))?;
        Ok(Self(items))
    }

    /// Checks which dishes a list names.
    ///
    /// # Errors
    /// See [`ItemsError`].
    pub fn check(dishes: impl ExactSizeIterator<Item = MenuItemId>) -> Result<(), ItemsError> {
        match dishes.len() {
            0 => return Err(ItemsError::Empty),
            1..=Self::MAX => {}
            many => return Err(ItemsError::TooMany(many)),
        }
        let mut seen = HashSet::new();
        for dish in dishes {
            if !seen.insert(dish) {
                return Err(ItemsError::Repeated(dish));
            }
        }
        Ok(())
    }

    /// The dishes.
    #[must_use]
    pub fn as_slice(&self) -> &[OrderItem] {
        &self.0
    }

    /// The dishes, for a message.
    #[must_use]
    pub fn to_vec(&self) -> Vec<OrderItem> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::Quantity;
    use uuid::Uuid;

    fn dishes(count: u128) -> Vec<OrderItem> {
        let dish = |number| OrderItem {
            menu_item_id: MenuItemId::new(Uuid::from_u128(number)),
            quantity: Quantity::ONE,
        };
        (0..count).map(dish).collect()
    }

    #[test]
    fn an_order_has_one_to_fifty_dishes() {
        assert_eq!(Items::new(dishes(0)), Err(ItemsError::Empty));
        assert!(Items::new(dishes(1)).is_ok());
        assert!(Items::new(dishes(50)).is_ok());
        assert_eq!(Items::new(dishes(51)), Err(ItemsError::TooMany(51)));
    }

    #[test]
    fn no_dish_is_listed_twice() {
        let twice = [dishes(2), dishes(1)].concat();
        let error = Items::new(twice).unwrap_err();
        assert_eq!(error, ItemsError::Repeated(MenuItemId::new(Uuid::nil())));
    }
}
