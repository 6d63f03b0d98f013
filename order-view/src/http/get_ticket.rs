//! `GET /tickets/{id}`: one ticket.

use axum::extract::State;
use contracts::TicketId;
use service::{
    Problem,
    extract::{Json, Path},
};

use super::{View, ticket::Ticket};
use crate::store;

/// One ticket.
#[utoipa::path(
    get,
    path = "/tickets/{ticketId}",
    tag = "tickets",
    params(("ticketId" = TicketId, Path)),
    responses((status = OK, body = Ticket), (status = "4XX", body = Problem))
)]
pub(super) async fn get_ticket(
    State(view): State<View>,
    Path(ticket): Path<TicketId>,
) -> Result<Json<Ticket>, Problem> {
    let found = store::find_ticket(&view.db, ticket)
        .await?
        .and_then(Ticket::of);
    found
        .map(Json)
        .ok_or_else(|| Problem::not_found(format!("nothing has been told of ticket {ticket}")))
}
