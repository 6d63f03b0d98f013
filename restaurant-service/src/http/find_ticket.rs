//! `GET /tickets/{id}`: a ticket as the restaurant has it.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::{Money, OrderId, PricedItem, Reason, RestaurantId, TicketId, TicketState};
use messaging::Store;
use serde::Serialize;
use service::{
    Problem,
    extract::{Json, Path},
};
use utoipa::ToSchema;

use crate::{domain::Ticket, store};

/// What the restaurant has made of an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ticket)]
pub(super) struct TicketView {
    ticket_id: TicketId,
    order_id: OrderId,
    restaurant_id: RestaurantId,
    state: TicketState,
    version: i64,
    items: Vec<PricedItem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Ticket> for TicketView {
    fn from(ticket: Ticket) -> Self {
        Self {
            ticket_id: ticket.ticket_id,
            order_id: ticket.order_id,
            restaurant_id: ticket.restaurant_id,
            state: ticket.state,
            version: ticket.version,
            items: ticket.items,
            total: ticket.total,
            reason: ticket.reason,
            created_at: ticket.created_at,
            updated_at: ticket.updated_at,
        }
    }
}

/// A ticket.
#[utoipa::path(
    get,
    path = "/tickets/{ticketId}",
    tag = "tickets",
    params(("ticketId" = TicketId, Path)),
    responses((status = OK, body = TicketView), (status = "4XX", body = Problem))
)]
pub(super) async fn find_ticket(
    State(store): State<Store>,
    Path(id): Path<TicketId>,
) -> Result<Json<TicketView>, Problem> {
    let found = store::tickets::find(store.db(), id).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no ticket {id}")))?;
    Ok(Json(found.into()))
}
