//! The view on a real Postgres.

mod fold;
mod http;
mod support;
