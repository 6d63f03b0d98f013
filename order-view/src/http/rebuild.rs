//! `/rebuilds`: the view is made anew from the topics, while it is being read.

use axum::{extract::State, http::StatusCode, response::IntoResponse};
use chrono::{DateTime, Utc};
use garde::Validate;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Path},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::View;
use crate::store::rebuilds::{self, Rebuild};

/// Who wants the view to be rebuilt, and why: kept with the rebuild.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wanted {
    /// Who it is.
    #[garde(length(chars, min = 1, max = 100))]
    #[schema(min_length = 1, max_length = 100)]
    by: String,
    /// Why.
    #[garde(length(chars, min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    why: String,
}

/// A rebuild, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RebuildView {
    rebuild_id: Uuid,
    by: String,
    why: String,
    asked_at: DateTime<Utc>,
    /// How many records were read so far.
    records: i64,
    /// How many there were ahead, when that was last looked; absent before it has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    ahead: Option<i64>,
    /// How many records were no message of the contract, and skipped.
    unreadable: i64,
    /// Why the last attempt failed; of one that has ended: why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// When it ended; absent while it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
}

impl From<Rebuild> for RebuildView {
    fn from(rebuild: Rebuild) -> Self {
        Self {
            rebuild_id: rebuild.rebuild_id,
            by: rebuild.asked_by,
            why: rebuild.asked_why,
            asked_at: rebuild.asked_at,
            records: rebuild.records,
            ahead: rebuild.ahead,
            unreadable: rebuild.unreadable,
            problem: rebuild.problem,
            ended_at: rebuild.ended_at,
        }
    }
}

/// The newest rebuilds, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Rebuilds {
    rebuilds: Vec<RebuildView>,
}

/// How many are listed.
const LISTED: u64 = 50;

/// Has the view rebuilt from the beginning of all topics. Until that is done the old one is read, and goes on growing.
#[utoipa::path(
    post,
    path = "/rebuilds",
    tag = "rebuilds",
    request_body = Wanted,
    responses(
        (status = ACCEPTED, body = RebuildView, headers(("Location" = String, description = "`/rebuilds/{rebuildId}`"))),
        (status = CONFLICT, body = Problem, description = "One is under way"),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn ask(
    State(view): State<View>,
    Json(Wanted { by, why }): Json<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let rebuild = Rebuild {
        rebuild_id: ambient::new_id(),
        asked_by: by,
        asked_why: why,
        asked_at: ambient::now(),
        records: 0,
        ahead: None,
        unreadable: 0,
        problem: None,
        ended_at: None,
    };
    if !rebuilds::ask(&view.db, &rebuild).await? {
        let known = rebuilds::list(&view.db, 1).await?;
        let known = known.first().map(|known| known.rebuild_id.to_string());
        return Err(Problem::conflict(format!(
            "the view is being rebuilt: GET /rebuilds/{} tells how far that is, DELETE gives it up",
            known.unwrap_or_default()
        )));
    }
    let location = format!("/rebuilds/{}", rebuild.rebuild_id);
    Ok((
        StatusCode::ACCEPTED,
        [("location", location)],
        Json(RebuildView::from(rebuild)),
    ))
}

/// The newest rebuilds, the newest first.
#[utoipa::path(get, path = "/rebuilds", tag = "rebuilds", responses((status = OK, body = Rebuilds)))]
pub(super) async fn list(State(view): State<View>) -> Result<Json<Rebuilds>, Problem> {
    let found = rebuilds::list(&view.db, LISTED).await?;
    let rebuilds = found.into_iter().map(RebuildView::from).collect();
    Ok(Json(Rebuilds { rebuilds }))
}

/// Gives a rebuild up; the view stays as it is.
#[utoipa::path(
    delete,
    path = "/rebuilds/{id}",
    tag = "rebuilds",
    params(("id" = Uuid, Path)),
    responses(
        (status = OK, body = RebuildView),
        (status = CONFLICT, body = Problem, description = "It has ended"),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn give_up(
    State(view): State<View>,
    Path(id): Path<Uuid>,
) -> Result<Json<RebuildView>, Problem> {
    let given_up = rebuilds::give_up(&view.db, id, ambient::now()).await?;
    let found = find(State(view), Path(id)).await?;
    match given_up {
        true => Ok(found),
        false => Err(Problem::conflict(format!("rebuild {id} has ended"))),
    }
}

/// How far a rebuild is.
#[utoipa::path(
    get,
    path = "/rebuilds/{id}",
    tag = "rebuilds",
    params(("id" = Uuid, Path)),
    responses((status = OK, body = RebuildView), (status = "4XX", body = Problem))
)]
pub(super) async fn find(
    State(view): State<View>,
    Path(id): Path<Uuid>,
) -> Result<Json<RebuildView>, Problem> {
    let found = rebuilds::find(&view.db, id).await?;
    let found = found.ok_or_else(|| Problem::not_found(format!("there is no rebuild {id}")))?;
    Ok(Json(found.into()))
}
