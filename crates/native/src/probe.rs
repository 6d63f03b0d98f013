//! Asks a server whether it serves, in its own protocol: an open port alone says little.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(1);

/// Whether Postgres accepts sessions. It answers a start-up message with `R` (authenticate
/// yourself), or with `E` while it starts, recovers or shuts down.
#[must_use]
pub fn postgres(port: u16) -> bool {
    let mut body = 196_608_i32.to_be_bytes().to_vec(); // protocol 3.0
    body.extend_from_slice(b"user\0postgres\0database\0postgres\0\0");
    let length = body.len() + 4; // Postgres counts the length field itself
    ask(port, length, &body).is_ok_and(|answer: [u8; 1]| answer == [b'R'])
}

/// Whether Kafka answers `ApiVersions` (version 0) with the request's correlation id and no error.
#[must_use]
pub fn kafka(port: u16) -> bool {
    let mut body = vec![0, 18, 0, 0]; // api key 18, version 0
    body.extend_from_slice(&7_i32.to_be_bytes()); // correlation id
    body.extend_from_slice(&(-1_i16).to_be_bytes()); // no client id
    ask(port, body.len(), &body).is_ok_and(|answer: [u8; 10]| answer[4..] == [0, 0, 0, 7, 0, 0])
}

/// Sends one request, led by its length, and reads the first bytes of the answer.
fn ask<const N: usize>(port: u16, length: usize, body: &[u8]) -> io::Result<[u8; N]> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let length = u32::try_from(length).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), body].concat())?;
    let mut answer = [0; N];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}
