//! The owner of a shard: reads, hands over to Kafka, and moves the cursor behind what Kafka has acknowledged.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use sea_orm::sqlx::PgConnection;
use tokio::time::Instant;

use crate::{
    cursor::Cursor,
    database::Error,
    flight::Flight,
    flights::{Departed, Flights},
    inquest::Inquest,
    lease::{Lease, RENEW},
    pace::{Hearings, Look, Looks},
    producer::{Generation, Refusal},
    reader::{MAX_ROWS, Reader, Row},
    record::{self, Broken},
    retention::{self, Outcome, Retention},
    shard::Shard,
};

/// How far the cursor in the database may be behind: what a crash publishes again.
const SAVE: Duration = Duration::from_millis(200);
/// Rows of one shard that may be under way to Kafka.
const MAX_IN_FLIGHT: usize = 4 * MAX_ROWS;
/// How often the rows that wait are counted while there are more than one batch of them.
const COUNT: Duration = Duration::from_secs(1);
/// The longest rest between two reads.
const REST: Duration = Duration::from_millis(20);
/// A shorter one is none: the timer goes in steps of a millisecond, and would make it as long.
const SHORTEST: Duration = Duration::from_millis(1);
/// So many rows in a read make the rest after it as long as the read took; more of them a longer one, up to four times as long.
const EVEN: f32 = 8.0;
/// How long to wait for room in the producer's queue.
const FULL: Duration = Duration::from_millis(2);
/// How long to wait for the producer that takes a failed one's place.
const REPLACED: Duration = Duration::from_millis(20);
/// How long to wait before a row that cannot be sent is tried again.
const BLOCKED: Duration = Duration::from_secs(5);
/// How long to wait, when stopping, for what is under way.
const FAREWELL: Duration = Duration::from_secs(3);

/// How an ownership ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The process stops. The lease was given back.
    Stopped,
    /// Somebody else has the lease.
    Lost,
}

/// Why a row was not handed over.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// One ownership, from the acquisition of the lease to its loss.
pub(crate) struct Owner<'s> {
    shard: &'s Shard,
    db: PgConnection,
    lease: Lease,
    reader: Reader,
    generation: Arc<Generation>,
    /// What was read and handed over.
    handed: Cursor,
    /// Whether `handed` has changed since the last flight left.
    changed: bool,
    /// Rows that were read and not handed over yet.
    waiting: VecDeque<Row>,
    flights: Flights,
    /// What the database has as the cursor, and since when.
    saved: (Cursor, Instant),
    looks: Looks,
    hearings: Hearings,
    inquest: Inquest,
    hole_since: Option<Instant>,
    retention: Retention,
    /// Nothing is handed over before.
    held_until: Instant,
    /// Nothing is read before.
    rested: Instant,
    /// Rows that wait in the database, as far as is known, and since when.
    behind: (u64, Instant),
}

impl<'s> Owner<'s> {
    pub(crate) fn new(shard: &'s Shard, db: PgConnection, lease: Lease, cursor: Cursor) -> Self {
        let now = Instant::now();
        Self {
            shard,
            db,
            lease,
            reader: Reader::new(lease.shard()),
            generation: shard.producer.generation(),
            handed: cursor.clone(),
            changed: false,
            waiting: VecDeque::new(),
            flights: Flights::new(cursor.clone()),
            saved: (cursor, now),
            looks: Looks::new(now),
            hearings: Hearings::new(now),
            inquest: Inquest::default(),
            hole_since: None,
            retention: Retention::new(now),
            held_until: now,
            rested: now,
            behind: (0, now),
        }
    }

    /// Serves until the process stops or the lease is lost. Waits for Kafka as long as it takes.
    pub(crate) async fn serve(mut self) -> Result<Ended, Error> {
        while !self.shard.shutdown.is_cancelled() {
            self.follow_the_producer();
            self.land();
            if self.must_save() && !self.save().await? {
                return Ok(Ended::Lost);
            }
            self.hear().await?;
            self.hand_over();
            if self.may_read() {
                self.read().await?;
                self.hand_over();
            } else {
                self.empty_leaves().await?;
                self.rest().await;
            }
        }
        self.leave().await
    }

    /// When the producer has failed: goes back to what was acknowledged, and on with the next producer.
    fn follow_the_producer(&mut self) {
        if !self.generation.has_failed() {
            return;
        }
        if self.flights.has_failure() {
            self.held_until = Instant::now() + BLOCKED / 5;
        }
        self.flights.abandon();
        self.waiting.clear();
        self.inquest.clear();
        self.handed.clone_from(self.flights.landed());
        self.generation = self.shard.producer.generation();
        self.looks.hurry(Instant::now());
    }

    /// Takes note of what Kafka has acknowledged.
    fn land(&mut self) {
        let before = self.flights.landed().position();
        while let Some((rows, took)) = self.flights.land() {
            if rows > 0 {
                self.shard.status.landed(rows, took);
                if self.flights.landed().position() == before {
                    self.retention.late_row(Instant::now());
                }
            }
        }
    }

    fn must_save(&self) -> bool {
        let (cursor, at) = &self.saved;
        let age = at.elapsed();
        age >= RENEW || (age >= SAVE && cursor != self.flights.landed())
    }

    /// Moves the cursor in the database, which renews the lease. `false`: the lease is lost.
    async fn save(&mut self) -> Result<bool, Error> {
        let cursor = self.flights.landed().clone();
        if !self.lease.advance(&mut self.db, &cursor).await? {
            self.shard.status.lost();
            return Ok(false);
        }
        let now = Instant::now();
        self.saved = (cursor, now);
        self.hole_since = self.hole_since.filter(|_| !self.handed.holes().is_empty());
        let since = self
            .hole_since
            .map_or(Duration::ZERO, |since| now.duration_since(since));
        self.shard.status.oldest_hole(since);
        if now.duration_since(self.behind.1) >= COUNT {
            self.count_behind(now).await?;
        }
        self.tell();
        Ok(true)
    }

    /// Counts the rows that were not read yet, when there is a reason to think that there are any.
    async fn count_behind(&mut self, now: Instant) -> Result<(), Error> {
        let held_back =
            self.generation.has_failed() || self.flights.rows() > 0 || self.looks.next() <= now;
        let highest = if held_back {
            self.reader.highest(&mut self.db).await?
        } else {
            None
        };
        let behind = highest.unwrap_or_default() - self.handed.position();
        self.behind = (u64::try_from(behind).unwrap_or_default(), now);
        Ok(())
    }

    fn tell(&self) {
        let (cursor, under_way) = (&self.saved.0, self.flights.rows() + self.waiting.len());
        self.shard.status.change(|status| {
            status.position = cursor.position();
            status.holes = cursor.holes().ids();
            status.backlog = u64::try_from(under_way)
                .unwrap_or(u64::MAX)
                .saturating_add(self.behind.0);
        });
    }

    /// Asks who could still fill the holes that have been open for a while.
    async fn hear(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        let Some(old) = self.hearings.due(now, self.handed.holes()) else {
            return Ok(());
        };
        let holders = self.reader.holders(&mut self.db).await?;
        self.inquest.hear(&old, &holders);
        if self.inquest.is_ripe() {
            self.looks.hurry(now);
        }
        Ok(())
    }

    fn may_read(&self) -> bool {
        let now = Instant::now();
        self.waiting.is_empty()
            && !self.generation.has_failed()
            && now >= self.held_until.max(self.rested)
            && self.flights.rows() < MAX_IN_FLIGHT
            && (now >= self.looks.next() || self.shard.wake.is_rung())
    }

    /// Reads what is new, and buries the holes that this proves dead.
    async fn read(&mut self) -> Result<(), Error> {
        let began = Instant::now();
        let rung = self.shard.wake.was_rung();
        let batch = self.reader.read(&mut self.db, &self.handed).await?;
        if self.inquest.is_ripe() {
            let mut seen = self.handed.clone();
            for row in &batch.rows {
                seen.see(row.id()?);
            }
            let dead = self.inquest.conclude(&seen, batch.covered);
            self.changed |= !dead.is_empty();
            self.handed.bury(&dead);
        }
        let look = Look {
            rung,
            found: !batch.rows.is_empty(),
            more: batch.covered != i64::MAX,
            holes: !batch.rows.is_empty() && !self.handed.holes().is_empty(),
        };
        let now = Instant::now();
        self.looks.looked(now, look);
        // What is committed meanwhile shares the next read, and requests to Kafka: the more comes, the more that saves. A row
        // alone is no occasion to rest, and a full page none either.
        if !look.more {
            let rows = batch.rows.len().saturating_sub(1) as f32;
            let rest = now.duration_since(began).mul_f32((rows / EVEN).min(4.0));
            if rest >= SHORTEST {
                self.rested = now + rest.min(REST);
            }
        }
        self.waiting.extend(batch.rows);
        Ok(())
    }

    /// Hands over the rows that wait, as far as there is room. What was handed over is one flight.
    fn hand_over(&mut self) {
        if self.waiting.is_empty() && !self.changed {
            return;
        }
        let flight = Flight::new(Arc::clone(&self.shard.wake));
        let (mut rows, mut blocked, now) = (0, false, Instant::now());
        while let Some(row) = self.waiting.front().filter(|_| now >= self.held_until) {
            match self.send(row, &flight) {
                Ok(id) => self.handed.see(id),
                Err(Stop::Refused(Refusal::Discarded)) => break,
                Err(Stop::Refused(Refusal::Full)) => {
                    self.held_until = now + FULL;
                    break;
                }
                Err(reason) => {
                    self.held_until = now + BLOCKED;
                    self.complain(&reason);
                    // Read again then: somebody may have corrected it.
                    self.waiting.clear();
                    blocked = true;
                    break;
                }
            }
            self.waiting.pop_front();
            rows += 1;
        }
        if rows > 0 && !blocked {
            self.shard.status.change(|status| status.problem = None);
        }
        if rows > 0 || self.changed {
            self.changed = false;
            if !self.handed.holes().is_empty() {
                self.hole_since.get_or_insert(now);
            }
            self.flights
                .depart(Departed::new(flight, self.handed.clone(), rows, now));
        }
    }

    fn send(&self, row: &Row, flight: &Arc<Flight>) -> Result<i64, Stop> {
        let (id, mut room) = (row.id().map_err(Broken::from)?, record::ROOM);
        let (topic, headers) = (
            self.shard.format.topic(row)?,
            self.shard.format.headers(row)?,
        );
        let (key, body) = (
            record::key(row, &mut room)?,
            row.body().map_err(Broken::from)?,
        );
        self.generation.send(&topic, key, headers, body, flight)?;
        Ok(id)
    }

    /// A row that cannot be sent holds back its shard: to pass over it would break the order and lose it.
    fn complain(&self, reason: &Stop) {
        let row = self.waiting.front().and_then(|row| row.id().ok());
        let reason = crate::chain(reason);
        tracing::error!(source = %self.shard.source, shard = self.lease.shard(), row, reason,
            "this row of the outbox cannot be sent, and holds back its shard: correct the row, which is read again");
        self.shard.status.change(|status| {
            status.problem = Some(format!("row {row:?} cannot be sent: {reason}"));
        });
    }

    /// Whether more is known to be under way than the database has as done.
    fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.flights.is_empty() || self.saved.0 != self.handed
    }

    async fn empty_leaves(&mut self) -> Result<(), Error> {
        let (busy, position) = (self.is_busy(), self.saved.0.position());
        for leaf in self.retention.due(Instant::now(), &self.saved.0, busy) {
            match retention::empty(&mut self.db, &self.lease, leaf).await? {
                Outcome::NotYet => continue,
                Outcome::WasEmpty => {}
                Outcome::Truncated => self.shard.status.truncated(),
            }
            self.retention.emptied(leaf, position);
        }
        Ok(())
    }

    /// Waits for the next thing to do.
    async fn rest(&self) {
        let now = Instant::now();
        let (cursor, at) = &self.saved;
        let mut until = *at
            + if cursor == self.flights.landed() {
                RENEW
            } else {
                SAVE
            };
        until = until.min(self.retention.next(self.is_busy()));
        if self.generation.has_failed() {
            until = until.min(now + REPLACED);
        } else if !self.waiting.is_empty() {
            until = until.min(self.held_until);
        } else if self.flights.rows() < MAX_IN_FLIGHT {
            let look = if self.shard.wake.is_rung() {
                now
            } else {
                self.looks.next()
            };
            until = until.min(look.max(self.held_until).max(self.rested));
        }
        if !self.handed.holes().is_empty() {
            until = until.min(self.hearings.next());
        }
        tokio::select! {
            () = self.shard.wake.woken() => {}
            () = tokio::time::sleep_until(until) => {}
            () = self.shard.shutdown.cancelled() => {}
        }
    }

    /// Stops: lets what is under way land, within a bound, saves the cursor and gives the lease back.
    async fn leave(mut self) -> Result<Ended, Error> {
        let deadline = Instant::now() + FAREWELL;
        self.waiting.clear();
        loop {
            self.land();
            if self.flights.is_empty() || self.generation.has_failed() || Instant::now() >= deadline
            {
                break;
            }
            if self.must_save() && !self.save().await? {
                return Ok(Ended::Lost);
            }
            let until = deadline.min(Instant::now() + SAVE);
            tokio::select! {
                () = self.shard.wake.woken() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
        if !self.save().await? {
            return Ok(Ended::Lost);
        }
        self.lease.release(&mut self.db).await?;
        Ok(Ended::Stopped)
    }
}
