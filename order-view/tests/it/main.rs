//! The view on a real Postgres.
#![expect(clippy::expect_used, reason = "what a test cannot do fails it")]

mod fold;
mod http;
mod rebuild;
mod support;
