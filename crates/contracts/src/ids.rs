//! A type for each kind of id, so that none can stand where another belongs.
//!
//! Ids are UUID v7 by convention; this crate makes none (that would be clock and randomness) and
//! accepts every well-formed UUID.

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize,
            serde::Deserialize, schemars::JsonSchema, utoipa::ToSchema,
        )]
        #[serde(transparent)]
        #[schemars(inline)]
        #[schema(value_type = Uuid)]
        pub struct $name(Uuid);

        impl $name {
            /// Calls a UUID by its kind.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The bare UUID, for the database and for message keys.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// An order: the key of every message.
    OrderId,
    /// Who ordered.
    CustomerId,
    /// Who cooks and sells.
    RestaurantId,
    /// A dish on a restaurant's menu.
    MenuItemId,
    /// A restaurant's ticket for an order.
    TicketId,
    /// The payment of an order.
    PaymentId,
    /// A stored way to pay: the name of a card's token.
    PaymentMethodId,
    /// A kitchen's work on an order.
    CookId,
    /// The way of an order to its customer.
    DeliveryId,
    /// Who carries orders.
    CourierId,
}
