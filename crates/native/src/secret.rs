//! Random words: passwords and ids that exist on this machine only.

use std::fs::File;
use std::io::Read;

use crate::Error;

/// 48 hexadecimal digits (192 bits) from the kernel's random source.
///
/// # Errors
/// When `/dev/urandom` cannot be read.
pub fn token() -> Result<String, Error> {
    let mut bytes = [0_u8; 24];
    let source = "/dev/urandom";
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(Error::file("read", source))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
