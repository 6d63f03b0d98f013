//! customer-service on a real Postgres, without Kafka: who may order, and who decides it.

mod http;
mod messages;
mod support;
