//! The table `cooks`.

mod cook;

use actions::Patience;
use contracts::{CookState, OrderId};
use messaging::{retention::Finished, sql};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
};
use uuid::Uuid;

use crate::domain::Cook;
use cook::{Column, Entity};

/// The kitchen has done its work, or will not do it.
pub const FINISHED: Finished = Finished {
    table: "cooks",
    key: "order_id",
    ended: "state IN ('READY', 'CANCELLED')",
    along: &[],
};

/// A work, and whether the table has it.
#[derive(Debug, Clone)]
pub enum Row {
    /// To be inserted.
    New(Cook),
    /// Locked, and to be updated.
    Known(Cook),
}

impl Row {
    /// The work.
    #[must_use]
    pub const fn cook(&self) -> &Cook {
        match self {
            Self::New(cook) | Self::Known(cook) => cook,
        }
    }

    /// The work, to be changed.
    pub const fn cook_mut(&mut self) -> &mut Cook {
        match self {
            Self::New(cook) | Self::Known(cook) => cook,
        }
    }
}

/// Loads and locks the works on these orders, in the order of their keys, so that two batches never
/// wait for each other.
///
/// # Errors
/// The database's.
pub async fn lock(
    db: &DatabaseTransaction,
    orders: impl IntoIterator<Item = Uuid>,
    patience: Patience,
) -> Result<Vec<Cook>, DbErr> {
    let select = "SELECT * FROM cooks WHERE order_id = ANY($1::uuid[]) ORDER BY order_id";
    let select = format!("{select} {}", patience.sql());
    find(db, &select, vec![sql::uuids(orders)]).await
}

/// Loads and locks at most `limit` works that are PREPARING, the oldest orders first, but none that
/// somebody else has locked.
///
/// # Errors
/// The database's.
pub async fn lock_preparing(db: &DatabaseTransaction, limit: u64) -> Result<Vec<Cook>, DbErr> {
    let select = "SELECT * FROM cooks WHERE state = $1 ORDER BY order_id LIMIT $2 \
                  FOR UPDATE SKIP LOCKED";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    find(
        db,
        select,
        vec![CookState::Preparing.as_str().into(), limit.into()],
    )
    .await
}

async fn find(
    db: &DatabaseTransaction,
    select: &str,
    values: Vec<sea_orm::Value>,
) -> Result<Vec<Cook>, DbErr> {
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, values);
    let models = Entity::find().from_raw_sql(select).all(db).await?;
    models.into_iter().map(Cook::try_from).collect()
}

/// At most `limit` works, all or those in one state, by order id, behind `after`.
///
/// # Errors
/// The database's.
pub async fn list(
    db: &DatabaseConnection,
    state: Option<CookState>,
    after: Option<OrderId>,
    limit: u64,
) -> Result<Vec<Cook>, DbErr> {
    let mut cooks = Entity::find().order_by_asc(Column::OrderId).limit(limit);
    if let Some(state) = state {
        cooks = cooks.filter(Column::State.eq(state.as_str()));
    }
    if let Some(order) = after {
        cooks = cooks.filter(Column::OrderId.gt(order.uuid()));
    }
    cooks
        .all(db)
        .await?
        .into_iter()
        .map(Cook::try_from)
        .collect()
}

/// One statement for the whole batch. A new order that another transaction has inserted meanwhile
/// is a violation of the key: this transaction ends, and the next one finds it.
const SAVE: &str = "\
WITH cook AS MATERIALIZED (
    SELECT unnest($1::bool[]) AS is_new, unnest($2::uuid[]) AS order_id, unnest($3::uuid[]) AS cook_id,
           unnest($4::uuid[]) AS restaurant_id, unnest($5::text[]) AS items, unnest($6::text[]) AS state,
           unnest($7::bigint[]) AS version, unnest($8::text[]) AS traceparent, unnest($9::timestamptz[]) AS created_at,
           unnest($10::timestamptz[]) AS updated_at
), updated AS (
    UPDATE cooks SET state = cook.state, version = cook.version, updated_at = cook.updated_at
    FROM cook WHERE NOT cook.is_new AND cooks.order_id = cook.order_id
)
INSERT INTO cooks (order_id, cook_id, restaurant_id, items, state, version, traceparent,
                   created_at, updated_at)
SELECT order_id, cook_id, NULLIF(restaurant_id, '00000000-0000-0000-0000-000000000000'),
       items::jsonb, state, version, NULLIF(traceparent, ''), created_at, updated_at
FROM cook WHERE is_new ORDER BY order_id";

/// Saves works, new ones and ones that this transaction has locked.
///
/// # Errors
/// The database's.
pub async fn save(db: &DatabaseTransaction, rows: Vec<Row>) -> Result<(), DbErr> {
    let cooks = || rows.iter().map(Row::cook);
    let items: Result<Vec<String>, _> = cooks()
        .map(|cook| serde_json::to_string(&cook.items))
        .collect();
    let values = vec![
        sql::booleans(rows.iter().map(|row| matches!(row, Row::New(_)))),
        sql::uuids(cooks().map(|cook| cook.order_id.uuid())),
        sql::uuids(cooks().map(|cook| cook.cook_id.uuid())),
        sql::optional_uuids(cooks().map(|cook| cook.restaurant_id.map(Uuid::from))),
        sql::texts(items.map_err(|error| DbErr::Json(error.to_string()))?),
        sql::texts(cooks().map(|cook| cook.state.as_str())),
        sql::bigints(cooks().map(|cook| cook.version)),
        sql::optional_texts(cooks().map(|cook| cook.trace.map(|trace| trace.to_string()))),
        sql::times(cooks().map(|cook| cook.created_at)),
        sql::times(cooks().map(|cook| cook.updated_at)),
    ];
    let save = Statement::from_sql_and_values(DbBackend::Postgres, SAVE, values);
    db.execute_raw(save).await?;
    Ok(())
}
