//! A row of the table `order_views`.

use contracts::{Money, MoneyError};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, de::DeserializeOwned};

use crate::domain::{Facts, Latest, OrderView};

/// As it is stored, and as `to_jsonb` writes it. Texts of JSON are read when it is turned into a view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "order_views")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    order_id: Uuid,
    customer_id: Option<Uuid>,
    restaurant_id: Option<Uuid>,
    created_at: Option<DateTimeUtc>,
    items: Option<String>,
    ticket_id: Option<Uuid>,
    total_amount: Option<i64>,
    total_currency: Option<String>,
    priced_items: Option<String>,
    payment: Option<String>,
    payment_version: i64,
    kitchen: Option<String>,
    kitchen_version: i64,
    order: Option<String>,
    order_state: Option<String>,
    under_way: bool,
    order_version: i64,
    as_of: DateTimeUtc,
    ticket_version: i64,
    ticket_state: Option<String>,
    ticket: Option<String>,
    delivery_version: i64,
    delivery: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for OrderView {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let total = total(&row).map_err(|error| unreadable("total_currency", error))?;
        Ok(Self {
            order_id: row.order_id.into(),
            facts: Facts {
                customer_id: row.customer_id.map(Into::into),
                restaurant_id: row.restaurant_id.map(Into::into),
                items: read("items", row.items)?,
                created_at: row.created_at,
                ticket_id: row.ticket_id.map(Into::into),
                priced_items: read("priced_items", row.priced_items)?,
                total,
            },
            order: latest("order", row.order_version, row.order)?,
            ticket: latest("ticket", row.ticket_version, row.ticket)?,
            payment: latest("payment", row.payment_version, row.payment)?,
            kitchen: latest("kitchen", row.kitchen_version, row.kitchen)?,
            delivery: latest("delivery", row.delivery_version, row.delivery)?,
            as_of: row.as_of,
        })
    }
}

impl Model {
    /// The view, if the columns that lists are made by tell the same as the view does: an audit wants to know.
    ///
    /// # Errors
    /// It cannot be read, or they tell something else.
    pub fn consistent(self) -> Result<OrderView, DbErr> {
        let (order_state, ticket_state) = (self.order_state.clone(), self.ticket_state.clone());
        let under_way = self.under_way;
        let view = OrderView::try_from(self)?;
        let order = view.order.told().map(|told| told.state.as_str());
        let ticket = view.ticket.told().map(|told| told.state.as_str());
        for (column, same) in [
            ("order_state", order_state.as_deref() == order),
            ("ticket_state", ticket_state.as_deref() == ticket),
            ("under_way", under_way == view.is_under_way()),
        ] {
            if !same {
                return Err(unreadable(column, "it tells something else than its row"));
            }
        }
        Ok(view)
    }
}

/// An amount is stored with its currency only.
fn total(row: &Model) -> Result<Option<Money>, MoneyError> {
    let total = row.total_amount.zip(row.total_currency.as_ref());
    total
        .map(|(amount, currency)| Money::new(amount, currency.parse()?))
        .transpose()
}

fn latest<T: DeserializeOwned>(
    column: &str,
    version: i64,
    told: Option<String>,
) -> Result<Latest<T>, DbErr> {
    let told = read(column, told)?;
    Ok(told.map_or_else(Latest::default, |told| Latest::new(version, told)))
}

fn read<T: DeserializeOwned>(column: &str, text: Option<String>) -> Result<Option<T>, DbErr> {
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| unreadable(column, error))
}

fn unreadable(column: &str, error: impl std::fmt::Display) -> DbErr {
    DbErr::Json(format!("order_views.{column}: {error}"))
}
