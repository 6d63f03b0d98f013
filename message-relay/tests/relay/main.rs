//! The relay on a real Postgres and a real Kafka.

mod gaps;
mod growth;
mod order;
mod owners;
mod records;
mod world;
