//! The delivery on a real Postgres, without Kafka: what it hears, and what couriers see and do.

mod http;
mod messages;
mod support;
