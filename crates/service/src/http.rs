//! The HTTP server around a service's routes: its own accept loop, limits on everything, and the standard paths.

mod accept;
mod bodies;
mod connection;
mod fallback;
mod limits;
mod requests;
mod router;
mod standard;

pub use connection::serve;
pub use limits::Limits;
pub use router::router;
