//! The REST side of an action: its body, its answer and its problems.

use contracts::OrderId;
use garde::Validate;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, OptionalJson},
};
use utoipa::ToSchema;

use crate::{Action, Actions, Error};

/// Which order an action is for. Without a body it is for all that are due.
#[derive(Debug, Clone, Copy, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// The order.
    #[garde(skip)]
    pub order_id: OrderId,
}

/// What an action changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// The orders that are now in a new state. Empty when it was done before.
    pub changed: Vec<OrderId>,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Unknown { .. } => Self::not_found(error.to_string()),
            Error::Illegal(_) => Self::conflict(error.to_string()),
            Error::Fault(_) => Self::internal(&error),
            Error::Database(error) => error.into(),
        }
    }
}

impl Changed {
    /// Does what a request asks for, and answers it.
    ///
    /// # Errors
    /// 404 for an order that was not heard of, 409 for one in a wrong state.
    pub async fn by<A: Action>(
        action: A,
        actions: &Actions<A>,
        OptionalJson(target): OptionalJson<Target>,
    ) -> Result<Json<Self>, Problem> {
        let changed = match target {
            Some(Target { order_id }) => actions.on(action, order_id).await?,
            None => actions.on_all(action).await?,
        };
        Ok(Json(Self { changed }))
    }
}
