//! The table `order_views`.

mod merge;
pub mod rebuilds;
mod row;

use contracts::{CustomerId, Machine, OrderId, OrderState, RestaurantId, TicketId, TicketState};
use messaging::{retention::Finished, sql};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};

use crate::domain::OrderView;
use row::{Column, Entity};

pub use merge::merge;
pub use row::Model as Row;

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
        rows = rows.filter(Column::OrderState.eq(state.as_str()));
        if !state.is_final() {
            // Written out, not bound: only then can Postgres see that the index of what is under way fits.
            rows = rows.filter(Expr::col(Column::UnderWay));
        }
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
