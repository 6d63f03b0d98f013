//! The table `verifications`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use contracts::{CustomerId, OrderId, Reason};
use messaging::sql;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, Statement};
use uuid::Uuid;

use super::customers;
use crate::domain::{CustomerState, Verification};

/// What this service knows when it is asked about an order.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The customer's state, when there is such a customer.
    pub customer: Option<CustomerState>,
    /// The verdict, when it was given before.
    pub verdict: Option<Verification>,
}

/// An order that is asked about.
#[derive(Debug, FromQueryResult)]
struct Row {
    order_id: Uuid,
    customer: Option<String>,
    customer_id: Option<Uuid>,
    code: Option<String>,
    detail: Option<String>,
    decided_at: Option<DateTime<Utc>>,
}

const KNOW: &str = "\
SELECT asked.order_id, customers.state AS customer, verifications.customer_id,
       verifications.code, verifications.detail, verifications.decided_at
FROM (SELECT unnest($1::uuid[]) AS order_id, unnest($2::uuid[]) AS customer_id) AS asked
LEFT JOIN customers ON customers.customer_id = asked.customer_id
LEFT JOIN verifications ON verifications.order_id = asked.order_id";

/// What is known of these orders and their customers, in one round trip.
///
/// # Errors
/// The database's.
pub async fn know(
    db: &DatabaseTransaction,
    asked: impl IntoIterator<Item = (OrderId, CustomerId)>,
) -> Result<HashMap<OrderId, Known>, DbErr> {
    let (orders, customers): (Vec<Uuid>, Vec<Uuid>) = asked
        .into_iter()
        .map(|(order, customer)| (order.uuid(), customer.uuid()))
        .unzip();
    let values = vec![sql::uuids(orders), sql::uuids(customers)];
    let know = Statement::from_sql_and_values(DbBackend::Postgres, KNOW, values);
    let rows = Row::find_by_statement(know).all(db).await?;
    rows.into_iter()
        .map(|row| Ok((row.order_id.into(), known(row)?)))
        .collect()
}

fn known(row: Row) -> Result<Known, DbErr> {
    let Row {
        order_id,
        customer,
        customer_id,
        code,
        detail,
        decided_at,
    } = row;
    let refusal = code
        .zip(detail)
        .map(|(code, detail)| Reason::new(code.into(), detail));
    let verdict = customer_id
        .zip(decided_at)
        .map(|(customer_id, decided_at)| Verification {
            order_id: order_id.into(),
            customer_id: customer_id.into(),
            refusal,
            decided_at,
        });
    let customer = customer.as_deref().map(customers::parse).transpose()?;
    Ok(Known { customer, verdict })
}

/// A verdict that another transaction has given meanwhile is a violation of the key: this
/// transaction ends, and the next one finds it.
const DECIDED: &str = "\
INSERT INTO verifications (order_id, customer_id, state, code, detail, decided_at)
SELECT order_id, customer_id, state, NULLIF(code, ''), NULLIF(detail, ''), decided_at
FROM (SELECT
    unnest($1::uuid[]) AS order_id, unnest($2::uuid[]) AS customer_id, unnest($3::text[]) AS state,
    unnest($4::text[]) AS code, unnest($5::text[]) AS detail, unnest($6::timestamptz[]) AS decided_at
) AS verdict
ORDER BY order_id";

/// Saves new verdicts.
///
/// # Errors
/// The database's.
pub async fn decided(db: &DatabaseTransaction, verdicts: &[Verification]) -> Result<(), DbErr> {
    let verdicts = || verdicts.iter();
    let refusals = || verdicts().map(|verdict| verdict.refusal.as_ref());
    let values = vec![
        sql::uuids(verdicts().map(|verdict| verdict.order_id.uuid())),
        sql::uuids(verdicts().map(|verdict| verdict.customer_id.uuid())),
        sql::texts(verdicts().map(|verdict| verdict.state().as_str())),
        sql::optional_texts(refusals().map(|refusal| refusal.map(|reason| reason.code.as_str()))),
        sql::optional_texts(refusals().map(|refusal| refusal.map(|reason| reason.detail.as_str()))),
        sql::times(verdicts().map(|verdict| verdict.decided_at)),
    ];
    let decided = Statement::from_sql_and_values(DbBackend::Postgres, DECIDED, values);
    db.execute_raw(decided).await?;
    Ok(())
}
