//! Restaurants on a real Postgres.

mod http;
mod support;
mod tickets;
