//! A private Postgres and a private Apache Kafka: the real servers, unpacked from pinned Maven
//! artifacts into an ignored folder. They need neither root nor Docker.
//!
//! [`install`] fetches both once and is offline from then on. A [`Server`] says how it is prepared,
//! launched and asked whether it answers; who keeps it alive is the caller's affair: the platform's
//! supervisor for the one that stays, [`Ephemeral`] for one that must die with a test.
//!
//! Nothing here knows what the servers are used for.

mod account;
mod ephemeral;
mod error;
mod install;
mod kafka;
mod launch;
mod port;
mod postgres;
pub mod probe;
mod process;
mod secret;

pub use account::{Account, reachable};
pub use ephemeral::Ephemeral;
pub use error::Error;
pub use install::{Installation, folder, install};
pub use kafka::Kafka;
pub use launch::{Launch, Server, StopSignal};
pub use port::{free, in_use};
pub use postgres::Postgres;
pub use process::Process;
pub use secret::token;
