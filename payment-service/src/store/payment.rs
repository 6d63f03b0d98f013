//! A row of the table `payments`.

use std::fmt::Display;

use contracts::Money;
use sea_orm::entity::prelude::*;
use serde::de::DeserializeOwned;

use crate::domain::{Payment, Terms};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "payments")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    order_id: Uuid,
    payment_id: Uuid,
    state: String,
    version: i64,
    amount: Option<i64>,
    currency: Option<String>,
    customer_id: Option<Uuid>,
    payment_method_id: Option<Uuid>,
    authorisation: Option<String>,
    reason: Option<Json>,
    call: Option<Json>,
    waiting: Json,
    answers: Json,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
    pub(super) revision: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    fn terms(&self) -> Result<Option<Terms>, DbErr> {
        let (Some(amount), Some(currency)) = (self.amount, &self.currency) else {
            return Ok(None);
        };
        let (Some(customer), Some(method)) = (self.customer_id, self.payment_method_id) else {
            return Ok(None);
        };
        let currency = currency.parse().map_err(|error| wrong("currency", error))?;
        Ok(Some(Terms {
            amount: Money::new(amount, currency).map_err(|error| wrong("amount", error))?,
            customer_id: customer.into(),
            payment_method_id: method.into(),
        }))
    }
}

impl TryFrom<Model> for Payment {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        Ok(Self {
            order_id: row.order_id.into(),
            payment_id: row.payment_id.into(),
            state: row.state.parse().map_err(|error| wrong("state", error))?,
            version: row.version,
            terms: row.terms()?,
            authorisation: row.authorisation,
            reason: row.reason.map(|json| read("reason", json)).transpose()?,
            call: row.call.map(|json| read("call", json)).transpose()?,
            waiting: read("waiting", row.waiting)?,
            answers: read("answers", row.answers)?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn read<T: DeserializeOwned>(column: &str, json: Json) -> Result<T, DbErr> {
    serde_json::from_value(json).map_err(|error| wrong(column, error))
}

fn wrong(column: &str, error: impl Display) -> DbErr {
    DbErr::Type(format!("payments.{column}: {error}"))
}
