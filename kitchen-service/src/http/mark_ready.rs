//! `POST /kitchen/ready`: an order is cooked, or all that are being cooked are.

use actions::{Action, Actions, Changed, Error, Patience, Target};
use axum::extract::State;
use contracts::{Kind, OrderId};
use messaging::{Outgoing, Stamp};
use sea_orm::{DatabaseTransaction, DbErr};
use service::{
    Problem,
    extract::{Json, OptionalJson},
};

use crate::{
    domain::Cook,
    store::{self, Row},
};

/// The order is cooked.
#[derive(Debug, Clone, Copy)]
pub struct Ready;

impl Action for Ready {
    type Aggregate = Cook;

    const BY: &'static str = "the kitchen";

    fn order(cook: &Cook) -> OrderId {
        cook.order_id
    }

    async fn lock(
        db: &DatabaseTransaction,
        orders: &[OrderId],
        patience: Patience,
    ) -> Result<Vec<Cook>, DbErr> {
        store::lock(db, orders.iter().map(|order| order.uuid()), patience).await
    }

    async fn lock_due(&self, db: &DatabaseTransaction, limit: u64) -> Result<Vec<Cook>, DbErr> {
        store::lock_preparing(db, limit).await
    }

    /// An event from outside: it answers nothing, and goes on with the order's trace.
    fn apply(&self, cook: &mut Cook, stamp: &mut Stamp) -> Result<Option<Outgoing>, Error> {
        if !cook.finish(stamp.now)? {
            return Ok(None);
        }
        let kind = Kind::KitchenReady;
        let message = protocol::write(stamp, kind, cook.version, &cook.tell(kind))?;
        Ok(Some(message.traced(cook.trace)))
    }

    async fn save(db: &DatabaseTransaction, changed: Vec<Cook>) -> Result<(), DbErr> {
        store::save(db, changed.into_iter().map(Row::Known).collect()).await
    }
}

/// The order is cooked; without a body, every one that is PREPARING is.
///
/// Repeating it changes nothing and succeeds.
#[utoipa::path(
    post,
    path = "/kitchen/ready",
    tag = "kitchen",
    request_body = Option<Target>,
    responses(
        (status = OK, body = Changed),
        (status = NOT_FOUND, body = Problem, description = "the order has not come here"),
        (status = CONFLICT, body = Problem, description = "the order was cancelled"),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn mark_ready(
    State(actions): State<Actions<Ready>>,
    target: OptionalJson<Target>,
) -> Result<Json<Changed>, Problem> {
    Changed::by(Ready, &actions, target).await
}
