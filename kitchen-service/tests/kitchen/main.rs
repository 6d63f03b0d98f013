//! The kitchen on a real Postgres, without Kafka: what it answers, and what people see and do.

mod http;
mod messages;
mod support;
