//! Loads what a batch of messages is about, in one round trip.

use std::collections::HashMap;

use contracts::{OrderId, PaymentMethodId};
use messaging::sql;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, QueryResult, Statement,
};
use uuid::Uuid;

use super::{Row, method, payment};
use crate::domain::Method;

/// Payments, locked, and payment methods.
#[derive(Debug, Default)]
pub struct Loaded {
    /// By order.
    pub payments: HashMap<OrderId, Row>,
    /// By id.
    pub methods: HashMap<PaymentMethodId, Method>,
}

/// The payments are locked in the order of their keys, so that two batches never wait for each other.
const LOAD: &str = "\
WITH payment AS MATERIALIZED (
    SELECT * FROM payments WHERE order_id = ANY($1::uuid[]) ORDER BY order_id FOR UPDATE
)
SELECT payment.*,
       method.payment_method_id AS m_payment_method_id, method.customer_id AS m_customer_id,
       method.token AS m_token, method.brand AS m_brand, method.last4 AS m_last4,
       method.expiry_year AS m_expiry_year, method.expiry_month AS m_expiry_month,
       method.created_at AS m_created_at
FROM (SELECT unnest($1::uuid[]) AS for_order, unnest($2::uuid[]) AS method_id) AS wanted
     LEFT JOIN payment ON payment.order_id = wanted.for_order
     LEFT JOIN payment_methods AS method ON method.payment_method_id = wanted.method_id";

/// Loads and locks the payments of these orders, and loads the payment methods.
///
/// # Errors
/// The database's.
pub async fn load(
    db: &DatabaseTransaction,
    wanted: &[(OrderId, Option<PaymentMethodId>)],
) -> Result<Loaded, DbErr> {
    let values = vec![
        sql::uuids(wanted.iter().map(|(order, _)| order.uuid())),
        sql::optional_uuids(wanted.iter().map(|(_, method)| method.map(Uuid::from))),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, LOAD, values);
    let mut loaded = Loaded::default();
    for row in db.query_all_raw(statement).await? {
        if let Some(row) = payment(&row)? {
            loaded.payments.insert(row.payment.order_id, row);
        }
        if let Some(method) = method(&row)? {
            loaded.methods.insert(method.id, method);
        }
    }
    Ok(loaded)
}

fn payment(row: &QueryResult) -> Result<Option<Row>, DbErr> {
    if row.try_get::<Option<Uuid>>("", "order_id")?.is_none() {
        return Ok(None);
    }
    payment::Model::from_query_result(row, "")?
        .try_into()
        .map(Some)
}

fn method(row: &QueryResult) -> Result<Option<Method>, DbErr> {
    if row
        .try_get::<Option<Uuid>>("m_", "payment_method_id")?
        .is_none()
    {
        return Ok(None);
    }
    let method = method::Model::from_query_result(row, "m_")?;
    Ok(Some(method.into()))
}
