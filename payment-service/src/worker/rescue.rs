//! Finds calls that nobody is making: their instance is gone, or they found no answer and have rested.

use std::time::Duration;

use sea_orm::DbErr;

use super::{Job, Shared};
use crate::store;

/// Between two looks, when there is little to do. An idle look reads one entry of a small index.
const IDLE: Duration = Duration::from_millis(500);
/// Between two looks, when the last one found as much as it could take.
const BUSY: Duration = Duration::from_millis(20);

impl Shared {
    /// Looks for lapsed claims until shutdown.
    pub(super) async fn rescue(&self) {
        while !self.shutdown.is_cancelled() {
            let pause = match self.look().await {
                Ok(true) => BUSY,
                Ok(false) => IDLE,
                Err(error) => {
                    tracing::debug!(%error, "lapsed calls wait for the database");
                    IDLE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.shutdown.cancelled() => {}
            }
        }
    }

    /// One look. Gives whether there may be more.
    async fn look(&self) -> Result<bool, DbErr> {
        let room = self.room();
        if room == 0 {
            return Ok(true);
        }
        let found = store::claim_lapsed(self.store.db(), &self.claim, room).await?;
        let full = found.len() == room;
        metrics::counter!("gateway_calls_rescued_total").increment(found.len() as u64);
        for (row, token) in found {
            self.handoff.give(Job::new(row, token));
        }
        Ok(full && self.status.is_up())
    }

    /// How many calls can be made at once now. While the gateway is away, one call finds out whether it is back.
    fn room(&self) -> usize {
        let free = self.places.available_permits();
        let room = free.saturating_sub(self.handoff.len());
        if self.status.is_up() {
            room
        } else {
            room.min(1)
        }
    }
}
