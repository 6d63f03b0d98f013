//! What has ended is not kept for ever, unless nobody says for how long: [`begin`].

use std::convert::Infallible;

use futures_util::FutureExt;
use messaging::{
    Store,
    retention::{Aging, Finished, Horizon},
};
use sea_orm::DbErr;

use crate::{Context, Settings};

/// Removes finished rows, as long as the process runs: none before [`Settings::finished_orders_days`], and none at all without it.
/// Consumers are to be told what is behind the horizon that this gives ([`messaging::Consumer::behind`]), also without: there may
/// have been a setting before.
///
/// # Errors
/// The database's.
pub async fn begin(
    context: &Context,
    settings: &Settings,
    store: &Store,
    finished: Finished,
) -> Result<Horizon, DbErr> {
    let horizon = Horizon::read(store.db(), finished).await?;
    let aging = Aging::new(
        store.clone(),
        horizon.clone(),
        settings.finished_orders_days,
    );
    let aging = aging.run(context.shutdown.clone());
    context.spawn("aging", aging.map(Ok::<_, Infallible>));
    Ok(horizon)
}
