//! What programs share that visit a running platform from outside: which processes it has, a client of its services, what
//! orders need, the operator's audit, and what people read meanwhile.

pub mod auditor;
pub mod client;
pub mod console;
pub mod platform;
pub mod violation;
pub mod world;

use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};

/// Returns at SIGINT or SIGTERM; never, if they cannot be heard.
pub async fn interrupted() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// A program that was given, or the one of this name beside this program.
///
/// # Errors
/// This program lies nowhere.
pub fn program(given: Option<&PathBuf>, name: &str) -> anyhow::Result<PathBuf> {
    Ok(match given {
        Some(given) => given.clone(),
        None => std::env::current_exe()?.with_file_name(name),
    })
}
