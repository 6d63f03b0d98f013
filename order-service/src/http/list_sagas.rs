//! `GET /sagas`: those that are stuck, those that wait, those that are old.

use std::time::Duration;

use axum::extract::State;
use contracts::OrderId;
use garde::Validate;
use messaging::Store;
use saga_postgres::list;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use service::{
    Problem,
    extract::{Json, Query},
};
use utoipa::{IntoParams, ToSchema};

use super::glance::GlanceView;
use crate::messages::Orders;

/// Which sagas to list. All that is given must fit.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those in this state; otherwise all that have not ended.
    #[garde(skip)]
    #[serde(default, deserialize_with = "state")]
    #[param(value_type = Option<String>, example = "STUCK")]
    state: Option<saga::State>,
    /// Only those that began longer ago than this: a number with its unit.
    #[garde(skip)]
    #[serde(default, deserialize_with = "duration")]
    #[param(value_type = Option<String>, example = "15m")]
    older_than: Option<Duration>,
    /// The `next` of the page before.
    #[garde(skip)]
    cursor: Option<OrderId>,
    /// How many at most.
    #[garde(range(min = 1, max = 500))]
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: u64,
}

/// No clock reaches back further.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

const fn default_limit() -> u64 {
    100
}

/// A page of sagas, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sagas {
    sagas: Vec<GlanceView>,
    /// The `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<OrderId>,
}

/// Sagas, the oldest first, each with the steps that are ahead of it.
#[utoipa::path(
    get,
    path = "/sagas",
    tag = "sagas",
    params(Filter),
    responses((status = OK, body = Sagas), (status = "4XX", body = Problem))
)]
pub(super) async fn list_sagas(
    State(store): State<Store>,
    State(orders): State<Orders>,
    Query(filter): Query<Filter>,
) -> Result<Json<Sagas>, Problem> {
    let wanted = saga_postgres::Filter {
        state: filter.state,
        started_before: filter.older_than.map(|age| ambient::now() - age),
        after: filter.cursor.map(OrderId::uuid),
        limit: filter.limit,
    };
    let found = list(store.db(), wanted).await?;
    let full = found.len() as u64 == filter.limit;
    let last = found.last().map(|glance| glance.id.into());
    let sagas = found
        .into_iter()
        .map(|glance| GlanceView::new(glance, &orders));
    Ok(Json(Sagas {
        sagas: sagas.collect(),
        next: last.filter(|_| full),
    }))
}

fn state<'de, D: Deserializer<'de>>(from: D) -> Result<Option<saga::State>, D::Error> {
    let word: Option<String> = Option::deserialize(from)?;
    word.map(|word| word.parse().map_err(D::Error::custom))
        .transpose()
}

fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    text.map(|text| {
        let age = humantime::parse_duration(&text).map_err(D::Error::custom)?;
        match age <= LONGEST {
            true => Ok(age),
            false => Err(D::Error::custom("must be 100 years at most")),
        }
    })
    .transpose()
}
