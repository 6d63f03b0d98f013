//! Saves what a batch has decided, in one round trip.

use std::collections::HashSet;

use contracts::OrderId;
use messaging::sql;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value};
use serde::Serialize;
use uuid::Uuid;

use super::{Claim, Row};
use crate::domain::Payment;

/// One statement for the whole batch. A new order that another transaction has inserted meanwhile is a violation of the
/// key: this transaction ends, and the next one finds it. They are inserted in the order of their keys, so that two
/// batches with the same ones never wait for each other. A known order is updated only from the revision that was seen.
///
/// A call that is new is claimed for who saves it, in the same statement; an old one stays whose it was.
const SAVE: &str = "\
WITH row AS MATERIALIZED (
    SELECT revision, order_id, payment_id, state, version, NULLIF(amount, -1) AS amount,
           NULLIF(currency, '') AS currency,
           NULLIF(customer_id, '00000000-0000-0000-0000-000000000000') AS customer_id,
           NULLIF(payment_method_id, '00000000-0000-0000-0000-000000000000') AS payment_method_id,
           NULLIF(authorisation, '') AS authorisation, NULLIF(reason, '')::jsonb AS reason,
           NULLIF(call, '')::jsonb AS call, waiting::jsonb AS waiting, answers::jsonb AS answers,
           created_at, updated_at, opened,
           CASE WHEN opened THEN $1::text END AS claimed_by,
           CASE WHEN opened THEN clock_timestamp() + $2::bigint * interval '1 ms' END AS claimed_until
    FROM (SELECT
        unnest($3::bigint[]) AS revision, unnest($4::uuid[]) AS order_id, unnest($5::uuid[]) AS payment_id,
        unnest($6::text[]) AS state, unnest($7::bigint[]) AS version, unnest($8::bigint[]) AS amount,
        unnest($9::text[]) AS currency, unnest($10::uuid[]) AS customer_id, unnest($11::uuid[]) AS payment_method_id,
        unnest($12::text[]) AS authorisation, unnest($13::text[]) AS reason, unnest($14::text[]) AS call,
        unnest($15::text[]) AS waiting, unnest($16::text[]) AS answers, unnest($17::timestamptz[]) AS created_at,
        unnest($18::timestamptz[]) AS updated_at, unnest($19::bool[]) AS opened
    ) AS row
), inserted AS (
    INSERT INTO payments (order_id, payment_id, state, version, amount, currency, customer_id,
                          payment_method_id, authorisation, reason, call, waiting, answers,
                          created_at, updated_at, revision, claimed_by, claimed_until)
    SELECT order_id, payment_id, state, version, amount, currency, customer_id,
           payment_method_id, authorisation, reason, call, waiting, answers,
           created_at, updated_at, 1, claimed_by, claimed_until
    FROM row WHERE revision = 0 ORDER BY order_id
    RETURNING order_id
), updated AS (
    UPDATE payments
    SET state = row.state, version = row.version, authorisation = row.authorisation,
        reason = row.reason, call = row.call, waiting = row.waiting, answers = row.answers,
        updated_at = row.updated_at, revision = row.revision + 1,
        attempts = CASE WHEN row.opened THEN 0 ELSE attempts END,
        claimed_by = CASE WHEN row.opened OR row.call IS NULL THEN row.claimed_by
                          ELSE payments.claimed_by END,
        claimed_until = CASE WHEN row.opened OR row.call IS NULL THEN row.claimed_until
                             ELSE payments.claimed_until END
    FROM row
    WHERE row.revision > 0 AND payments.order_id = row.order_id AND payments.revision = row.revision
    RETURNING payments.order_id
)
SELECT order_id FROM inserted UNION ALL SELECT order_id FROM updated";

/// Saves payments, new ones and known ones. Gives the orders that were saved: missing are those whose payment is not
/// as it was seen any more.
///
/// # Errors
/// The database's.
pub async fn save(
    db: &DatabaseTransaction,
    rows: &[Row],
    claim: &Claim,
) -> Result<HashSet<OrderId>, DbErr> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    let mut values = vec![claim.by.clone().into(), claim.milliseconds().into()];
    values.extend(columns(rows)?);
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, SAVE, values);
    let saved = db.query_all_raw(statement).await?;
    saved
        .iter()
        .map(|row| row.try_get::<Uuid>("", "order_id").map(OrderId::new))
        .collect()
}

fn columns(rows: &[Row]) -> Result<[Value; 17], DbErr> {
    let payments = || rows.iter().map(|row| &row.payment);
    let terms = || payments().map(|payment| payment.terms);
    let currency = |payment: &Payment| Some(payment.terms?.amount.currency().as_str().to_owned());
    Ok([
        sql::bigints(rows.iter().map(Row::revision)),
        sql::uuids(payments().map(|payment| payment.order_id.uuid())),
        sql::uuids(payments().map(|payment| payment.payment_id.uuid())),
        sql::texts(payments().map(|payment| payment.state.as_str())),
        sql::bigints(payments().map(|payment| payment.version)),
        sql::bigints(terms().map(|terms| terms.map_or(-1, |terms| terms.amount.amount()))),
        sql::optional_texts(payments().map(currency)),
        sql::optional_uuids(terms().map(|terms| Some(terms?.customer_id.uuid()))),
        sql::optional_uuids(terms().map(|terms| Some(terms?.payment_method_id.uuid()))),
        sql::optional_texts(payments().map(|payment| payment.authorisation.as_deref())),
        optional_json(payments().map(|payment| payment.reason.as_ref()))?,
        optional_json(payments().map(|payment| payment.call.as_ref()))?,
        optional_json(payments().map(|payment| Some(&payment.waiting)))?,
        optional_json(payments().map(|payment| Some(&payment.answers)))?,
        sql::times(payments().map(|payment| payment.created_at)),
        sql::times(payments().map(|payment| payment.updated_at)),
        sql::booleans(rows.iter().map(|row| row.opened().is_some())),
    ])
}

fn optional_json<'p, T: Serialize + 'p>(
    values: impl Iterator<Item = Option<&'p T>>,
) -> Result<Value, DbErr> {
    let texts: Result<Vec<Option<String>>, _> = values
        .map(|value| value.map(serde_json::to_string).transpose())
        .collect();
    let texts = texts.map_err(|error| DbErr::Json(error.to_string()))?;
    Ok(sql::optional_texts(texts))
}
