//! Since when has a command been published? The relay keeps a position, and no times.
//!
//! Now and then the oldest row is looked at that waits in the outbox: whatever was decided before it has been published
//! by then. The looks of the last minutes tell what was published how long ago, a little less than it really was: so a
//! deadline never runs while its command sits in the outbox.

use std::{collections::VecDeque, time::Duration};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

/// A transaction decides at its beginning and gets its place in the outbox at its end. Whoever takes longer in between
/// is found by asking for his command by name before it counts as silent.
const SLACK: Duration = Duration::from_secs(1);

/// The oldest row that waits, per shard: above the relay's position, or in one of its holes.
const OLDEST: &str = "\
SELECT min(oldest) AS oldest FROM relay.shard, LATERAL (
    (SELECT occurred_at FROM outbox WHERE outbox.shard = shard.shard AND outbox.id > shard.position ORDER BY outbox.id LIMIT 1)
    UNION ALL
    (SELECT min(occurred_at) FROM outbox WHERE outbox.shard = shard.shard AND shard.holes <> '{}'
     AND outbox.id BETWEEN lower(shard.holes) AND shard.position AND shard.holes @> outbox.id)
) waiting (oldest)";

/// What was seen of the outbox: when, and up to which decision it was published.
#[derive(Debug)]
pub(crate) struct Publication {
    looks: VecDeque<Look>,
    /// How far back somebody may ask.
    memory: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Look {
    at: DateTime<Utc>,
    /// Everything that was decided before was published by then.
    published: DateTime<Utc>,
}

#[derive(FromQueryResult)]
struct Oldest {
    oldest: Option<DateTime<Utc>>,
}

impl Publication {
    pub(crate) fn new(memory: Duration) -> Self {
        Self {
            looks: VecDeque::new(),
            memory,
        }
    }

    /// Looks at the outbox of this database at `now`.
    pub(crate) async fn look(
        &mut self,
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let statement = Statement::from_string(DbBackend::Postgres, OLDEST);
        let oldest = Oldest::find_by_statement(statement).one(db).await?;
        self.seen(now, oldest.and_then(|row| row.oldest));
        Ok(())
    }

    /// The oldest decision that waited at `now`, if one did.
    fn seen(&mut self, now: DateTime<Utc>, oldest: Option<DateTime<Utc>>) {
        let published = oldest.unwrap_or(now) - SLACK;
        // What was published once stays so, also when an old command is waiting to be sent again.
        let before = self.looks.back().map(|look| look.published);
        let published = before.map_or(published, |before| before.max(published));
        self.looks.push_back(Look { at: now, published });
        // The youngest look that is old enough stays.
        while self
            .looks
            .get(1)
            .is_some_and(|next| next.at + self.memory <= now)
        {
            self.looks.pop_front();
        }
    }

    /// Whatever was decided before the moment that this gives was published by `moment`. `None`: nobody looked so long ago.
    pub(crate) fn published_by(&self, moment: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let later = self.looks.partition_point(|look| look.at <= moment);
        let last = later.checked_sub(1)?;
        self.looks.get(last).map(|look| look.published)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds)
    }

    fn publication() -> Publication {
        Publication::new(Duration::from_secs(60))
    }

    #[test]
    fn what_waits_in_the_outbox_is_not_published() {
        let mut publication = publication();
        for now in 10..=30 {
            publication.seen(second(now), Some(second(5)));
        }
        assert_eq!(publication.published_by(second(30)), Some(second(4)));
        publication.seen(second(31), None);
        assert_eq!(publication.published_by(second(30)), Some(second(4)));
        assert_eq!(publication.published_by(second(31)), Some(second(30)));
    }

    #[test]
    fn nothing_is_known_of_the_time_before_the_first_look() {
        let mut publication = publication();
        assert_eq!(publication.published_by(second(10)), None);
        publication.seen(second(10), None);
        assert_eq!(publication.published_by(second(9)), None);
        assert_eq!(publication.published_by(second(10)), Some(second(9)));
    }

    #[test]
    fn an_old_command_that_waits_to_be_sent_again_takes_nothing_back() {
        let mut publication = publication();
        publication.seen(second(10), None);
        publication.seen(second(11), Some(second(1)));
        assert_eq!(publication.published_by(second(11)), Some(second(9)));
    }

    #[test]
    fn looks_are_remembered_for_as_long_as_they_are_asked_for() {
        let mut publication = publication();
        for now in 0..=1_000 {
            publication.seen(second(now), None);
        }
        assert_eq!(publication.published_by(second(940)), Some(second(939)));
        assert_eq!(publication.looks.len(), 61);
    }
}
