//! Hears of commits: a datagram holds the name of the source in which something was committed, and nothing else.
//!
//! Whoever can send a datagram can at most make the relay look once more.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use metrics::counter;
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use crate::wake::Wake;

/// Longer names do not exist.
const LONGEST: usize = 128;

/// The shards to wake, by the name of their source. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Bells(Arc<Mutex<Sources>>);

type Sources = HashMap<Arc<str>, Vec<Arc<Wake>>>;

impl Bells {
    /// From now on `source` wakes this shard too.
    pub fn hang(&self, source: &Arc<str>, wake: Arc<Wake>) {
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.entry(Arc::clone(source)).or_default().push(wake);
    }

    /// Wakes the shards of `source`; tells whether there are any.
    #[must_use]
    pub fn ring(&self, source: &str) -> bool {
        let bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let shards = bells.get(source);
        shards.into_iter().flatten().for_each(|shard| shard.ring());
        shards.is_some()
    }
}

/// A bound doorbell.
#[derive(Debug)]
pub struct Doorbell {
    socket: UdpSocket,
}

impl Doorbell {
    /// Binds the doorbell.
    ///
    /// # Errors
    /// The address is taken.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        Ok(Self {
            socket: UdpSocket::bind(address).await?,
        })
    }

    /// Where it can be rung.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Listens until shutdown.
    pub async fn listen(self, bells: Bells, shutdown: CancellationToken) {
        let heard = counter!("relay_doorbell_total", "outcome" => "heard");
        let strange = counter!("relay_doorbell_total", "outcome" => "unknown");
        let mut room = [0; LONGEST];
        while let Some(received) = shutdown
            .run_until_cancelled(self.socket.recv(&mut room))
            .await
        {
            let name = received
                .ok()
                .and_then(|length| std::str::from_utf8(&room[..length]).ok());
            let outcome = if name.is_some_and(|name| bells.ring(name)) {
                &heard
            } else {
                &strange
            };
            outcome.increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[tokio::test]
    async fn it_wakes_the_shards_of_the_named_source_and_ignores_nonsense() {
        let doorbell = Doorbell::bind((Ipv4Addr::LOCALHOST, 0).into())
            .await
            .unwrap();
        let (address, wake, shutdown) = (
            doorbell.address().unwrap(),
            Arc::new(Wake::default()),
            CancellationToken::new(),
        );
        let bells = Bells::default();
        bells.hang(&"order-service".into(), Arc::clone(&wake));
        let listening = tokio::spawn(doorbell.listen(bells, shutdown.clone()));
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        for datagram in [&b"order-service-2"[..], &[0xff; 300], b"", b"order-service"] {
            socket.send_to(datagram, address).await.unwrap();
        }
        wake.woken().await;
        assert!(wake.was_rung());
        assert!(!wake.was_rung());
        shutdown.cancel();
        listening.await.unwrap();
    }
}
