//! The table `order_views`.

pub mod rebuilds;
mod row;

use contracts::{CustomerId, OrderId, OrderState, RestaurantId, TicketId, TicketState};
use messaging::{retention::Finished, sql};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
    sea_query::{Expr, ExprTrait},
};
use serde::Serialize;

use crate::domain::{Latest, OrderView};
use row::{Column, Entity};

/// One statement for the whole batch, in the order of the keys, so that two batches never wait for each other in a circle.
/// An aggregate's columns change for a higher version only; what is known of the facts stays. A message that tells nothing new
/// writes nothing.
const MERGE: &str = "\
INSERT INTO order_views AS view (order_id, facts, as_of, order_version, \"order\", ticket_version, ticket,
    payment_version, payment, kitchen_version, kitchen, delivery_version, delivery)
SELECT order_id, facts::jsonb, as_of, order_version, NULLIF(\"order\", '')::jsonb, ticket_version, NULLIF(ticket, '')::jsonb,
    payment_version, NULLIF(payment, '')::jsonb, kitchen_version, NULLIF(kitchen, '')::jsonb,
    delivery_version, NULLIF(delivery, '')::jsonb
FROM (SELECT
    unnest($1::uuid[]) AS order_id, unnest($2::text[]) AS facts, unnest($3::timestamptz[]) AS as_of,
    unnest($4::bigint[]) AS order_version, unnest($5::text[]) AS \"order\", unnest($6::bigint[]) AS ticket_version,
    unnest($7::text[]) AS ticket, unnest($8::bigint[]) AS payment_version, unnest($9::text[]) AS payment,
    unnest($10::bigint[]) AS kitchen_version, unnest($11::text[]) AS kitchen, unnest($12::bigint[]) AS delivery_version,
    unnest($13::text[]) AS delivery
) AS told
ORDER BY order_id
ON CONFLICT (order_id) DO UPDATE SET
    facts = excluded.facts || view.facts,
    as_of = greatest(view.as_of, excluded.as_of),
    order_version = greatest(view.order_version, excluded.order_version),
    \"order\" = CASE WHEN excluded.order_version > view.order_version THEN excluded.\"order\" ELSE view.\"order\" END,
    ticket_version = greatest(view.ticket_version, excluded.ticket_version),
    ticket = CASE WHEN excluded.ticket_version > view.ticket_version THEN excluded.ticket ELSE view.ticket END,
    payment_version = greatest(view.payment_version, excluded.payment_version),
    payment = CASE WHEN excluded.payment_version > view.payment_version THEN excluded.payment ELSE view.payment END,
    kitchen_version = greatest(view.kitchen_version, excluded.kitchen_version),
    kitchen = CASE WHEN excluded.kitchen_version > view.kitchen_version THEN excluded.kitchen ELSE view.kitchen END,
    delivery_version = greatest(view.delivery_version, excluded.delivery_version),
    delivery = CASE WHEN excluded.delivery_version > view.delivery_version THEN excluded.delivery ELSE view.delivery END
WHERE excluded.order_version > view.order_version OR excluded.ticket_version > view.ticket_version
   OR excluded.payment_version > view.payment_version OR excluded.kitchen_version > view.kitchen_version
   OR excluded.delivery_version > view.delivery_version OR excluded.as_of > view.as_of
   OR (excluded.facts || view.facts) <> view.facts";

/// Merges what a batch tells, each order once, with what is stored.
///
/// # Errors
/// The database's.
pub async fn merge<'v>(
    db: &DatabaseTransaction,
    batch: impl Iterator<Item = &'v OrderView> + Clone,
) -> Result<(), DbErr> {
    let views = || batch.clone();
    let facts: Vec<String> = views()
        .map(|view| json(&view.facts))
        .collect::<Result<_, _>>()?;
    let values = vec![
        sql::uuids(views().map(|view| view.order_id.uuid())),
        sql::texts(facts),
        sql::times(views().map(|view| view.as_of)),
        sql::bigints(views().map(|view| view.order.version())),
        sql::optional_texts(told(views().map(|view| &view.order))?),
        sql::bigints(views().map(|view| view.ticket.version())),
        sql::optional_texts(told(views().map(|view| &view.ticket))?),
        sql::bigints(views().map(|view| view.payment.version())),
        sql::optional_texts(told(views().map(|view| &view.payment))?),
        sql::bigints(views().map(|view| view.kitchen.version())),
        sql::optional_texts(told(views().map(|view| &view.kitchen))?),
        sql::bigints(views().map(|view| view.delivery.version())),
        sql::optional_texts(told(views().map(|view| &view.delivery))?),
    ];
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        MERGE,
        values,
    ))
    .await?;
    Ok(())
}

fn told<'l, T: Serialize + 'l>(
    all: impl Iterator<Item = &'l Latest<T>>,
) -> Result<Vec<Option<String>>, DbErr> {
    all.map(|latest| latest.told().map(json).transpose())
        .collect()
}

fn json<T: Serialize>(value: &T) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
}

/// A view has ended with its order.
pub const FINISHED: Finished = Finished {
    table: "order_views",
    key: "order_id",
    ended: "order_state IN ('COMPLETE', 'REJECTED', 'CANCELLED')",
    along: &[],
};

/// What has been told of an order.
///
/// # Errors
/// The database's.
pub async fn find(db: &DatabaseConnection, order: OrderId) -> Result<Option<OrderView>, DbErr> {
    Entity::find_by_id(order.uuid())
        .one(db)
        .await?
        .map(OrderView::try_from)
        .transpose()
}

/// The versions of these orders, of those that are known.
///
/// # Errors
/// The database's.
pub async fn versions(
    db: &DatabaseConnection,
    orders: &[OrderId],
) -> Result<Vec<(OrderId, i64)>, DbErr> {
    let rows = Entity::find()
        .select_only()
        .columns([Column::OrderId, Column::OrderVersion])
        .filter(Expr::cust_with_values(
            "order_id = ANY($1::uuid[])",
            [sql::uuids(orders.iter().map(|order| order.uuid()))],
        ))
        .into_tuple::<(uuid::Uuid, i64)>()
        .all(db)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(order, version)| (order.into(), version))
        .collect())
}

/// The order of a ticket.
///
/// # Errors
/// The database's.
pub async fn find_ticket(
    db: &DatabaseConnection,
    ticket: TicketId,
) -> Result<Option<OrderView>, DbErr> {
    let row = Entity::find()
        .filter(Column::TicketId.eq(ticket.uuid()))
        .one(db)
        .await?;
    row.map(OrderView::try_from).transpose()
}

/// What to list. All that is given must fit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Orders of this customer.
    pub customer: Option<CustomerId>,
    /// Orders from this restaurant.
    pub restaurant: Option<RestaurantId>,
    /// Orders in this state.
    pub state: Option<OrderState>,
    /// Orders with a ticket.
    pub with_ticket: bool,
    /// Orders whose ticket is in this state.
    pub ticket_state: Option<TicketState>,
    /// Orders before this one.
    pub before: Option<OrderId>,
    /// How many at most.
    pub limit: u64,
}

/// Lists orders that have been told of, or tickets, the newest first.
///
/// # Errors
/// The database's.
pub async fn list(db: &DatabaseConnection, filter: Filter) -> Result<Vec<OrderView>, DbErr> {
    let mut rows = Entity::find()
        .order_by_desc(Column::OrderId)
        .limit(filter.limit);
    if let Some(customer) = filter.customer {
        rows = rows.filter(Column::CustomerId.eq(customer.uuid()));
    }
    if let Some(restaurant) = filter.restaurant {
        rows = rows.filter(Column::RestaurantId.eq(restaurant.uuid()));
    }
    if let Some(state) = filter.state {
        // Written out, not bound: only then can Postgres see that the index of what is under way fits.
        rows = rows
            .filter(Expr::col(Column::OrderState).eq(Expr::cust(format!("'{}'", state.as_str()))));
    }
    if let Some(state) = filter.ticket_state {
        rows = rows.filter(Column::TicketState.eq(state.as_str()));
    }
    rows = match filter.with_ticket {
        true => rows
            .filter(Column::TicketId.is_not_null())
            .filter(Column::TicketVersion.gt(0)),
        false => rows.filter(Column::OrderVersion.gt(0)),
    };
    if let Some(before) = filter.before {
        rows = rows.filter(Column::OrderId.lt(before.uuid()));
    }
    rows.all(db)
        .await?
        .into_iter()
        .map(OrderView::try_from)
        .collect()
}
