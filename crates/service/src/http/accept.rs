//! Takes connections from the listener and sets their socket options.

use std::{io, time::Duration};

use tokio::net::{TcpListener, TcpStream};

/// How long to wait when the process is out of file descriptors: closing connections frees some.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(50);

/// The next connection. With Nagle's algorithm off: an answer that fits no full segment must not wait for the
/// acknowledgement of the one before, which clients delay by 40 ms.
pub(super) async fn next(listener: &TcpListener) -> TcpStream {
    loop {
        match listener
            .accept()
            .await
            .and_then(|(stream, _)| configured(stream))
        {
            Ok(stream) => return stream,
            Err(error) if is_about_one_client(&error) => {
                tracing::debug!(%error, "a client left early");
            }
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(OUT_OF_RESOURCES).await;
            }
        }
    }
}

fn configured(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn is_about_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn small_answers_are_sent_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        assert!(next(&listener).await.nodelay().unwrap());
    }
}
