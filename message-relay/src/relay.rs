//! All shards of all sources, served beside each other.

use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    database::{self, Error},
    doorbell::Bells,
    lease,
    producer::Producer,
    record::Format,
    shard::{BACKOFF, Shard},
    source::Source,
    status::{Board, Status},
    wake::Wake,
};

/// A relay: what it needs to serve its sources. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Relay {
    /// The name under which it holds leases: the same after every restart, different from that of all others.
    pub name: Arc<str>,
    /// Put before the name of every topic.
    pub topic_prefix: Arc<str>,
    /// Its way into Kafka.
    pub producer: Producer,
    /// Where its shards tell how they are.
    pub board: Board,
    /// Where its shards are woken.
    pub bells: Bells,
    /// Cancelled when it must stop.
    pub shutdown: CancellationToken,
}

impl Relay {
    /// Serves all shards of `sources` until shutdown. A database that is away is waited for, and stops only its own shards.
    ///
    /// # Errors
    /// A shard's task panicked.
    pub async fn serve(self, sources: Vec<Source>) -> Result<(), JoinError> {
        let mut tasks = JoinSet::new();
        for source in sources {
            tasks.spawn(self.clone().serve_source(source));
        }
        while let Some(ended) = tasks.join_next().await {
            ended?;
        }
        Ok(())
    }

    async fn serve_source(self, source: Source) {
        let Some(numbers) = self.shards(&source).await else {
            return;
        };
        let mut shards = JoinSet::new();
        for number in numbers {
            shards.spawn(self.shard(&source, number).serve());
        }
        while let Some(ended) = shards.join_next().await {
            if let Ok(panic) = ended.map_err(JoinError::into_panic).map_or_else(Ok, Err) {
                std::panic::resume_unwind(panic);
            }
        }
    }

    fn shard(&self, source: &Source, number: i16) -> Shard {
        let (wake, status) = (Arc::new(Wake::default()), Status::new(&source.name, number));
        self.bells.hang(&source.name, Arc::clone(&wake));
        self.board.add(Arc::clone(&status));
        Shard {
            source: Arc::clone(&source.name),
            number,
            database: source.database.clone(),
            me: Arc::clone(&self.name),
            format: Format::new(&source.name, &self.topic_prefix),
            producer: self.producer.clone(),
            wake,
            status,
            shutdown: self.shutdown.clone(),
        }
    }

    /// The shards of a source, as soon as its database can be reached and has an outbox. Nothing on shutdown.
    async fn shards(&self, source: &Source) -> Option<Vec<i16>> {
        let mut pause = BACKOFF.0;
        loop {
            match self.ask_for_shards(source).await {
                Ok(shards) => return Some(shards),
                Err(error) => {
                    tracing::warn!(source = %source.name, reason = crate::chain(&error), "waiting for the outbox");
                }
            }
            self.shutdown
                .run_until_cancelled(tokio::time::sleep(pause))
                .await?;
            pause = BACKOFF.1.min(pause * 2);
        }
    }

    async fn ask_for_shards(&self, source: &Source) -> Result<Vec<i16>, Error> {
        let mut db = database::connect(&source.database, &self.name).await?;
        lease::shards(&mut db).await
    }
}
