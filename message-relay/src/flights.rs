//! The batches of one shard that are under way, in their order.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{cursor::Cursor, flight::Flight};

/// A batch that was handed over.
#[derive(Debug)]
pub(crate) struct Departed {
    flight: Arc<Flight>,
    /// The cursor when it has landed.
    after: Cursor,
    rows: usize,
    at: Instant,
}

impl Departed {
    /// Nothing more is handed over with `flight`.
    pub(crate) fn new(flight: Arc<Flight>, after: Cursor, rows: usize, at: Instant) -> Self {
        flight.complete();
        Self {
            flight,
            after,
            rows,
            at,
        }
    }
}

/// All batches under way. The cursor moves over them in the order in which they left.
#[derive(Debug)]
pub(crate) struct Flights {
    under_way: VecDeque<Departed>,
    rows: usize,
    landed: Cursor,
}

impl Flights {
    pub(crate) const fn new(landed: Cursor) -> Self {
        Self {
            under_way: VecDeque::new(),
            rows: 0,
            landed,
        }
    }

    pub(crate) fn depart(&mut self, batch: Departed) {
        self.rows += batch.rows;
        self.under_way.push_back(batch);
    }

    /// The next batch in order, if Kafka has acknowledged all of it: its rows, and how long it took.
    pub(crate) fn land(&mut self) -> Option<(usize, Duration)> {
        let batch = self
            .under_way
            .pop_front_if(|batch| batch.flight.has_landed())?;
        self.rows -= batch.rows;
        self.landed = batch.after;
        Some((batch.rows, batch.at.elapsed()))
    }

    /// Everything up to here is in Kafka.
    pub(crate) const fn landed(&self) -> &Cursor {
        &self.landed
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Whether a batch of this shard was given up.
    pub(crate) fn has_failure(&self) -> bool {
        self.under_way.iter().any(|batch| batch.flight.has_failed())
    }

    /// Forgets what is under way.
    pub(crate) fn abandon(&mut self) {
        self.under_way.clear();
        self.rows = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ranges::Ranges, wake::Wake};

    fn depart(flights: &mut Flights, position: i64) -> Arc<Flight> {
        let flight = Flight::new(Arc::new(Wake::default()));
        flight.add();
        let after = Cursor::new(position, &Ranges::default());
        flights.depart(Departed::new(Arc::clone(&flight), after, 1, Instant::now()));
        flight
    }

    #[test]
    fn a_batch_that_lands_early_waits_for_those_before_it() {
        let mut flights = Flights::new(Cursor::default());
        let (first, second) = (depart(&mut flights, 1), depart(&mut flights, 2));
        second.settle();
        assert!(flights.land().is_none());
        first.settle();
        assert!(flights.land().is_some() && flights.land().is_some());
        assert_eq!((flights.landed().position(), flights.rows()), (2, 0));
    }

    #[test]
    fn a_batch_of_which_a_message_was_given_up_never_lands() {
        let mut flights = Flights::new(Cursor::default());
        depart(&mut flights, 1).fail();
        assert!(flights.land().is_none() && flights.has_failure());
        flights.abandon();
        assert_eq!((flights.landed().position(), flights.rows()), (0, 0));
    }
}
