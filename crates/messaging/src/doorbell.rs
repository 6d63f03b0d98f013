//! Tells the relay that something was committed, so that it need not wait for its next look.
//!
//! A datagram after the commit, not a `NOTIFY` inside it: a `NOTIFY` takes a lock that is held over the commit's fsync
//! and ends group commit. A datagram costs the caller one system call, blocks nobody, and may be lost: the relay
//! also looks by itself.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

/// How long a relay that has moved to another address is not heard by.
const RESOLVE_EVERY: Duration = Duration::from_secs(5);

/// Rings at every relay. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Doorbell {
    ring: Option<Arc<Ring>>,
}

#[derive(Debug)]
struct Ring {
    socket: UdpSocket,
    source: String,
    relays: RwLock<Vec<SocketAddr>>,
}

impl Doorbell {
    /// A doorbell of `source` (the name under which the relays know this database) at `relays`, each `host:port`.
    /// Names are looked up in the background, again and again. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The machine has no socket to give.
    pub fn ring_at(source: &str, relays: &[String]) -> std::io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_nonblocking(true)?;
        let (addresses, names): (Vec<_>, Vec<_>) = relays
            .iter()
            .map(|relay| relay.parse().map_err(|_| relay.clone()))
            .partition(Result::is_ok);
        let fixed: Vec<SocketAddr> = addresses.into_iter().flatten().collect();
        let names: Vec<String> = names.into_iter().filter_map(Result::err).collect();
        let ring = Arc::new(Ring {
            socket,
            source: source.to_owned(),
            relays: RwLock::new(fixed.clone()),
        });
        if !names.is_empty() {
            tokio::spawn(resolve(Arc::downgrade(&ring), fixed, names));
        }
        Ok(Self { ring: Some(ring) })
    }

    /// A doorbell that nobody hears: the relay finds rows by looking.
    #[must_use]
    pub const fn silent() -> Self {
        Self { ring: None }
    }

    /// Rings once. Never waits and never fails: what is not heard is found later.
    pub fn ring(&self) {
        let Some(ring) = &self.ring else { return };
        let relays = ring.relays.read().unwrap_or_else(PoisonError::into_inner);
        for relay in relays.iter() {
            if let Err(error) = ring.socket.send_to(ring.source.as_bytes(), relay) {
                tracing::trace!(%relay, %error, "nobody heard the doorbell");
            }
        }
    }
}

/// Keeps the addresses of the relays that are known by name up to date, until the doorbell is dropped.
async fn resolve(ring: Weak<Ring>, fixed: Vec<SocketAddr>, names: Vec<String>) {
    loop {
        let mut found = fixed.clone();
        for name in &names {
            match tokio::net::lookup_host(name).await {
                Ok(addresses) => found.extend(addresses.filter(SocketAddr::is_ipv4)),
                Err(error) => tracing::debug!(name, %error, "the relay's name does not resolve"),
            }
        }
        let Some(ring) = ring.upgrade() else { return };
        *ring.relays.write().unwrap_or_else(PoisonError::into_inner) = found;
        drop(ring);
        tokio::time::sleep(RESOLVE_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_relay_hears_the_name_of_the_source() -> std::io::Result<()> {
        let relay = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        relay.set_read_timeout(Some(Duration::from_secs(5)))?;
        Doorbell::ring_at("order-service", &[relay.local_addr()?.to_string()])?.ring();
        let mut heard = [0; 64];
        let length = relay.recv(&mut heard)?;
        assert_eq!(&heard[..length], b"order-service");
        Ok(())
    }
}
