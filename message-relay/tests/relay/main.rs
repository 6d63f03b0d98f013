//! The relay on a real Postgres and a real Kafka.

mod gaps;
mod growth;
mod kafka;
mod order;
mod owners;
mod records;
mod world;
