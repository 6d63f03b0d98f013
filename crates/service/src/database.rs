//! The service's database: a pool that waits for Postgres to come up, and migrations that run once.

mod connect;
mod migrate;

pub use connect::connect;
pub use migrate::migrate;
