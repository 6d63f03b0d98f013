//! A row of the table `orders`.

use contracts::{Code, Money, Reason, Rejection};
use sea_orm::entity::prelude::*;

use crate::domain::Order;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "orders")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    order_id: Uuid,
    customer_id: Uuid,
    restaurant_id: Uuid,
    payment_method_id: Uuid,
    ticket_id: Option<Uuid>,
    created_at: DateTimeUtc,
    version: i64,
    state: String,
    held_state: Option<String>,
    total_amount: Option<i64>,
    total_currency: Option<String>,
    rejected_by: Option<String>,
    rejection_code: Option<String>,
    rejection_detail: Option<String>,
    items: Json,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Order {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let (total, rejection) = (total(&row)?, rejection(&row)?);
        Ok(Self {
            id: row.order_id.into(),
            customer_id: row.customer_id.into(),
            restaurant_id: row.restaurant_id.into(),
            payment_method_id: row.payment_method_id.into(),
            items: serde_json::from_value(row.items)
                .map_err(|error| DbErr::Json(format!("orders.items: {error}")))?,
            state: row
                .state
                .parse()
                .map_err(|error| unreadable("state", error))?,
            held_state: row
                .held_state
                .map(|state| state.parse())
                .transpose()
                .map_err(|error| unreadable("held_state", error))?,
            version: row.version,
            ticket_id: row.ticket_id.map(Into::into),
            total,
            rejection,
            created_at: row.created_at,
        })
    }
}

fn total(row: &Model) -> Result<Option<Money>, DbErr> {
    let Some((amount, currency)) = row.total_amount.zip(row.total_currency.as_ref()) else {
        return Ok(None);
    };
    let money = currency
        .parse()
        .and_then(|currency| Money::new(amount, currency));
    money.map(Some).map_err(|error| unreadable("total", error))
}

fn rejection(row: &Model) -> Result<Option<Rejection>, DbErr> {
    let reason = row.rejection_code.clone().zip(row.rejection_detail.clone());
    let Some((by, (code, detail))) = row.rejected_by.as_ref().zip(reason) else {
        return Ok(None);
    };
    let by = by
        .parse()
        .map_err(|error| unreadable("rejected_by", error))?;
    Ok(Some(Rejection {
        by,
        reason: Reason::new(Code::from(code), detail),
    }))
}

fn unreadable(column: &str, error: impl std::error::Error) -> DbErr {
    DbErr::Type(format!("orders.{column}: {error}"))
}
