//! `GET /tickets`: the tickets of a restaurant, or those in a state.

use axum::extract::State;
use contracts::{OrderId, RestaurantId, TicketState};
use garde::Validate;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Query},
};
use utoipa::{IntoParams, ToSchema};

use super::{View, list_orders::default_limit, ticket::Ticket};
use crate::store;

/// Which tickets to list. All that is given must fit.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those of this restaurant.
    #[garde(skip)]
    restaurant_id: Option<RestaurantId>,
    /// Only those in this state.
    #[garde(skip)]
    state: Option<TicketState>,
    /// The `next` of the page before.
    #[garde(skip)]
    cursor: Option<OrderId>,
    /// How many at most.
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: u64,
}

/// A page of tickets, those of the newest orders first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tickets {
    tickets: Vec<Ticket>,
    /// The `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<OrderId>,
}

/// Tickets, those of the newest orders first.
#[utoipa::path(
    get,
    path = "/tickets",
    tag = "tickets",
    params(Filter),
    responses((status = OK, body = Tickets), (status = "4XX", body = Problem))
)]
pub(super) async fn list_tickets(
    State(view): State<View>,
    Query(filter): Query<Filter>,
) -> Result<Json<Tickets>, Problem> {
    let found = store::Filter {
        restaurant: filter.restaurant_id,
        with_ticket: true,
        ticket_state: filter.state,
        before: filter.cursor,
        limit: filter.limit,
        ..store::Filter::default()
    };
    let found = store::list(&view.db, found).await?;
    let full = found.len() as u64 == filter.limit;
    let next = found.last().map(|view| view.order_id).filter(|_| full);
    let tickets = found.into_iter().filter_map(Ticket::of).collect();
    Ok(Json(Tickets { tickets, next }))
}
