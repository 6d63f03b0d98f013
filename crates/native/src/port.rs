//! Ports on the loopback interface.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use crate::Error;

/// A port that is free now. Somebody else can take it before it is used: be ready to try again.
///
/// # Errors
/// When the machine has none left.
pub fn free() -> Result<u16, Error> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::Port)?;
    Ok(listener.local_addr().map_err(Error::Port)?.port())
}

/// Whether some process listens on the port.
#[must_use]
pub fn in_use(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}
