//! The table `deliveries`.

mod delivery;

use actions::Patience;
use contracts::{DeliveryState, OrderId};
use messaging::{retention::Finished, sql};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement, Value,
};
use uuid::Uuid;

use crate::domain::Delivery;
use delivery::{Column, Entity};

/// A delivery has ended at the door.
pub const FINISHED: Finished = Finished {
    table: "deliveries",
    key: "order_id",
    ended: "state = 'COMPLETE'",
    along: &[],
};

/// Loads and locks the deliveries of these orders, in the order of their keys, so that two
/// transactions never wait for each other.
///
/// # Errors
/// The database's.
pub async fn lock(
    db: &DatabaseTransaction,
    orders: &[OrderId],
    patience: Patience,
) -> Result<Vec<Delivery>, DbErr> {
    let select = "SELECT * FROM deliveries WHERE order_id = ANY($1::uuid[]) ORDER BY order_id";
    let select = format!("{select} {}", patience.sql());
    let orders = sql::uuids(orders.iter().map(|order| order.uuid()));
    find(db, &select, vec![orders]).await
}

/// Loads and locks at most `limit` deliveries in this state, the oldest orders first, but none that
/// somebody else has locked.
///
/// # Errors
/// The database's.
pub async fn lock_some(
    db: &DatabaseTransaction,
    state: DeliveryState,
    limit: u64,
) -> Result<Vec<Delivery>, DbErr> {
    let select = "SELECT * FROM deliveries WHERE state = $1 ORDER BY order_id LIMIT $2 \
                  FOR UPDATE SKIP LOCKED";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    find(db, select, vec![state.as_str().into(), limit.into()]).await
}

async fn find(
    db: &DatabaseTransaction,
    select: &str,
    values: Vec<Value>,
) -> Result<Vec<Delivery>, DbErr> {
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, values);
    let models = Entity::find().from_raw_sql(select).all(db).await?;
    models.into_iter().map(Delivery::try_from).collect()
}

/// At most `limit` deliveries that wait for a courier, by order id, behind `after`.
///
/// # Errors
/// The database's.
pub async fn list_ready(
    db: &DatabaseConnection,
    after: Option<OrderId>,
    limit: u64,
) -> Result<Vec<Delivery>, DbErr> {
    let mut deliveries = Entity::find()
        .filter(Column::State.eq(DeliveryState::Ready.as_str()))
        .order_by_asc(Column::OrderId)
        .limit(limit);
    if let Some(order) = after {
        deliveries = deliveries.filter(Column::OrderId.gt(order.uuid()));
    }
    let models = deliveries.all(db).await?;
    models.into_iter().map(Delivery::try_from).collect()
}

/// An order that has a delivery keeps it, whoever else tells that it is ready.
const BEGIN: &str = "\
INSERT INTO deliveries (order_id, delivery_id, restaurant_id, state, version, traceparent,
                        created_at, updated_at)
SELECT order_id, delivery_id, NULLIF(restaurant_id, '00000000-0000-0000-0000-000000000000'),
       state, version, NULLIF(traceparent, ''), created_at, updated_at
FROM (SELECT
    unnest($1::uuid[]) AS order_id, unnest($2::uuid[]) AS delivery_id, unnest($3::uuid[]) AS restaurant_id,
    unnest($4::text[]) AS state, unnest($5::bigint[]) AS version, unnest($6::text[]) AS traceparent,
    unnest($7::timestamptz[]) AS created_at, unnest($8::timestamptz[]) AS updated_at
) AS delivery
ORDER BY order_id
ON CONFLICT (order_id) DO NOTHING";

/// Saves deliveries that begin, unless their orders have one.
///
/// # Errors
/// The database's.
pub async fn begin(db: &DatabaseTransaction, begun: &[Delivery]) -> Result<(), DbErr> {
    let deliveries = || begun.iter();
    let trace = |delivery: &Delivery| delivery.trace.map(|trace| trace.to_string());
    let values = vec![
        sql::uuids(deliveries().map(|delivery| delivery.order_id.uuid())),
        sql::uuids(deliveries().map(|delivery| delivery.delivery_id.uuid())),
        sql::optional_uuids(deliveries().map(|delivery| delivery.restaurant_id.map(Uuid::from))),
        sql::texts(deliveries().map(|delivery| delivery.state.as_str())),
        sql::bigints(deliveries().map(|delivery| delivery.version)),
        sql::optional_texts(deliveries().map(trace)),
        sql::times(deliveries().map(|delivery| delivery.created_at)),
        sql::times(deliveries().map(|delivery| delivery.updated_at)),
    ];
    let begin = Statement::from_sql_and_values(DbBackend::Postgres, BEGIN, values);
    db.execute_raw(begin).await?;
    Ok(())
}

const UPDATE: &str = "\
UPDATE deliveries
SET state = changed.state, version = changed.version, updated_at = changed.updated_at
FROM (SELECT
    unnest($1::uuid[]) AS order_id, unnest($2::text[]) AS state, unnest($3::bigint[]) AS version,
    unnest($4::timestamptz[]) AS updated_at
) AS changed
WHERE deliveries.order_id = changed.order_id";

/// Saves deliveries that this transaction has locked.
///
/// # Errors
/// The database's.
pub async fn update(db: &DatabaseTransaction, changed: &[Delivery]) -> Result<(), DbErr> {
    let deliveries = || changed.iter();
    let values = vec![
        sql::uuids(deliveries().map(|delivery| delivery.order_id.uuid())),
        sql::texts(deliveries().map(|delivery| delivery.state.as_str())),
        sql::bigints(deliveries().map(|delivery| delivery.version)),
        sql::times(deliveries().map(|delivery| delivery.updated_at)),
    ];
    let update = Statement::from_sql_and_values(DbBackend::Postgres, UPDATE, values);
    db.execute_raw(update).await?;
    Ok(())
}
