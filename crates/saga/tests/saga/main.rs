//! The rules of the interpreter, tried on a saga that knows nothing of food.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a broken precondition should end a test at once"
)]

mod cancel;
mod definition;
mod forward;
mod matrix;
mod operator;
mod property;
mod purity;
mod silence;
mod trip;
