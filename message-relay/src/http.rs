//! `GET /sources`: every shard as this relay sees it.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::status::{Board, Shard};

/// The paths of the relay.
pub(crate) fn router(board: Board) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(sources))
        .with_state(board)
}

/// Every shard: who publishes it, how far, and what waits.
#[utoipa::path(get, path = "/sources", responses((status = OK, body = [Shard])))]
async fn sources(State(board): State<Board>) -> Json<Vec<Shard>> {
    Json(board.shards())
}
