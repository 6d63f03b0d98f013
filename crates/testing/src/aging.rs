//! What becomes of finished rows as time goes by.

use chrono::TimeDelta;
use messaging::{
    Store,
    retention::{Aging, Finished, Horizon},
};
use tokio_util::sync::CancellationToken;

/// How many days finished rows are kept.
const KEPT: u32 = 30;

/// So much time goes by that whatever has ended by now is removed. Gives the horizon that there is then, and how many have gone.
///
/// # Panics
/// The database does not answer.
pub async fn age(store: &Store, finished: Finished) -> (Horizon, u64) {
    let horizon = Horizon::read(store.db(), finished).await;
    let horizon = horizon.expect("the horizon can be read");
    let aging = Aging::new(store.clone(), horizon.clone(), Some(KEPT));
    let mut removed = 0;
    for days in [KEPT + 2, KEPT + 3] {
        let now = ambient::now() + TimeDelta::days(days.into());
        let looked = aging.look(now, &CancellationToken::new()).await;
        removed += looked.expect("finished rows can be removed");
    }
    (horizon, removed)
}
