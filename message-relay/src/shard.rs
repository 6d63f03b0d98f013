//! One shard of one source: this relay owns it, stands by, or cannot reach its database.

use std::{sync::Arc, time::Duration};

use sea_orm::sqlx::{PgConnection, postgres::PgConnectOptions};
use tokio_util::sync::CancellationToken;

use crate::{
    database::{self, Error},
    lease::{self, Lease, TTL},
    owner::{Ended, Owner},
    producer::Producer,
    record::Format,
    status::{Role, Status},
    wake::Wake,
};

/// Waiting for a database: from one to the other, doubling.
pub(crate) const BACKOFF: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_secs(2));

/// Everything that the service of one shard needs.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) source: Arc<str>,
    pub(crate) number: i16,
    pub(crate) database: PgConnectOptions,
    /// The name under which this process holds leases.
    pub(crate) me: Arc<str>,
    pub(crate) format: Format,
    pub(crate) producer: Producer,
    pub(crate) wake: Arc<Wake>,
    pub(crate) status: Arc<Status>,
    pub(crate) shutdown: CancellationToken,
}

impl Shard {
    /// Serves the shard until shutdown, through all troubles of its database.
    pub(crate) async fn serve(self) {
        let mut pause = BACKOFF.0;
        while !self.shutdown.is_cancelled() {
            let began = tokio::time::Instant::now();
            let Err(error) = self.session().await else {
                return;
            };
            if began.elapsed() > BACKOFF.1 {
                pause = BACKOFF.0;
            }
            let reason = crate::chain(&error);
            tracing::warn!(source = %self.source, shard = self.number, reason, "waiting for the outbox");
            self.status.change(|status| {
                status.role = Role::Away;
                status.problem = Some(reason);
            });
            self.pause(pause).await;
            pause = BACKOFF.1.min(pause * 2);
        }
    }

    /// Serves the shard over one connection. Returns when the process stops.
    async fn session(&self) -> Result<(), Error> {
        while !self.shutdown.is_cancelled() {
            let mut db = database::connect(&self.database, &self.me).await?;
            let Some((lease, cursor)) = self.stand_by(&mut db).await? else {
                return Ok(());
            };
            tracing::info!(source = %self.source, shard = self.number, epoch = lease.epoch(), position = cursor.position(),
                holes = %cursor.holes(), "owns the shard");
            self.status.change(|status| {
                status.role = Role::Owner;
                status.owner = Some(self.me.to_string());
                status.epoch = lease.epoch();
                status.problem = None;
            });
            match Owner::new(self, db, lease, cursor).serve().await? {
                Ended::Stopped => return Ok(()),
                Ended::Lost => self.mourn(lease).await,
            }
        }
        Ok(())
    }

    /// Waits until the lease is free, and takes it. Nothing when the process stops before.
    async fn stand_by(
        &self,
        db: &mut PgConnection,
    ) -> Result<Option<(Lease, crate::cursor::Cursor)>, Error> {
        while !self.shutdown.is_cancelled() {
            let seen = lease::look(db, self.number, &self.me).await?;
            if seen.free
                && let Some(taken) = Lease::acquire(db, self.number, &self.me).await?
            {
                return Ok(Some(taken));
            }
            let next_look = seen.next_look();
            self.status.change(|status| {
                status.role = Role::Standby;
                status.owner = seen.owner;
                status.epoch = seen.epoch;
                status.position = seen.cursor.position();
                status.holes = seen.cursor.holes().ids();
                status.backlog = 0;
                status.problem = None;
            });
            self.pause(next_look).await;
        }
        Ok(None)
    }

    /// The lease is lost. What is still under way to Kafka can only repeat what the new owner sends.
    async fn mourn(&self, lease: Lease) {
        tracing::warn!(source = %self.source, shard = self.number, epoch = lease.epoch(),
            "another relay has taken the lease: standing by");
        // Two processes of one name would take it from each other for ever: at least not in a frenzy.
        self.pause(TTL).await;
    }

    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.shutdown.cancelled() => {}
        }
    }
}
