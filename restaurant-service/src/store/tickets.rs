//! Tickets: locked and saved a batch at a time.

use contracts::TicketId;
use messaging::sql;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, QueryFilter, Statement,
};
use serde::Serialize;
use uuid::Uuid;

use super::{
    Row,
    ticket::{Column, Entity},
};
use crate::domain::Ticket;

/// Loads and locks the tickets of these orders, in the order of their keys, so that two batches never wait for each other.
///
/// # Errors
/// The database's.
pub async fn lock(
    db: &DatabaseTransaction,
    orders: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Ticket>, DbErr> {
    let select =
        "SELECT * FROM tickets WHERE order_id = ANY($1::uuid[]) ORDER BY order_id FOR UPDATE";
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, [sql::uuids(orders)]);
    let models = Entity::find().from_raw_sql(select).all(db).await?;
    models.into_iter().map(Ticket::try_from).collect()
}

/// The ticket of this id.
///
/// # Errors
/// The database's.
pub async fn find(db: &DatabaseConnection, ticket: TicketId) -> Result<Option<Ticket>, DbErr> {
    let row = Entity::find()
        .filter(Column::TicketId.eq(ticket.uuid()))
        .one(db)
        .await?;
    row.map(Ticket::try_from).transpose()
}

/// One statement for the whole batch. A new order that another transaction has inserted meanwhile is a violation of the
/// key: this transaction ends, and the next one finds it.
const SAVE: &str = "\
WITH ticket AS MATERIALIZED (
    SELECT unnest($1::bool[]) AS is_new, unnest($2::uuid[]) AS order_id, unnest($3::uuid[]) AS ticket_id,
           unnest($4::uuid[]) AS restaurant_id, unnest($5::text[]) AS state, unnest($6::bigint[]) AS version,
           unnest($7::text[]) AS items, unnest($8::text[]) AS total, unnest($9::text[]) AS reason,
           unnest($10::timestamptz[]) AS created_at, unnest($11::timestamptz[]) AS updated_at
), updated AS (
    UPDATE tickets SET state = ticket.state, version = ticket.version, reason = NULLIF(ticket.reason, '')::jsonb,
                       updated_at = ticket.updated_at
    FROM ticket WHERE NOT ticket.is_new AND tickets.order_id = ticket.order_id
)
INSERT INTO tickets (order_id, ticket_id, restaurant_id, state, version, items, total, reason, created_at, updated_at)
SELECT order_id, ticket_id, restaurant_id, state, version, items::jsonb, NULLIF(total, '')::jsonb,
       NULLIF(reason, '')::jsonb, created_at, updated_at
FROM ticket WHERE is_new ORDER BY order_id";

/// Saves tickets, new ones and ones that this transaction has locked.
///
/// # Errors
/// The database's.
pub async fn save(db: &DatabaseTransaction, rows: Vec<Row>) -> Result<(), DbErr> {
    let tickets = || rows.iter().map(Row::ticket);
    let items: Result<Vec<String>, DbErr> = tickets().map(|ticket| json(&ticket.items)).collect();
    let totals: Result<Vec<_>, DbErr> = tickets()
        .map(|ticket| ticket.total.as_ref().map(json).transpose())
        .collect();
    let reasons: Result<Vec<_>, DbErr> = tickets()
        .map(|ticket| ticket.reason.as_ref().map(json).transpose())
        .collect();
    let values = vec![
        sql::booleans(rows.iter().map(|row| matches!(row, Row::New(_)))),
        sql::uuids(tickets().map(|ticket| ticket.order_id.uuid())),
        sql::uuids(tickets().map(|ticket| ticket.ticket_id.uuid())),
        sql::uuids(tickets().map(|ticket| ticket.restaurant_id.uuid())),
        sql::texts(tickets().map(|ticket| ticket.state.as_str())),
        sql::bigints(tickets().map(|ticket| ticket.version)),
        sql::texts(items?),
        sql::optional_texts(totals?),
        sql::optional_texts(reasons?),
        sql::times(tickets().map(|ticket| ticket.created_at)),
        sql::times(tickets().map(|ticket| ticket.updated_at)),
    ];
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        SAVE,
        values,
    ))
    .await?;
    Ok(())
}

fn json<T: Serialize>(value: &T) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
}
