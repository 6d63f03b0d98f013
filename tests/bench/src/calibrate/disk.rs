//! The disk alone: a page is written and made durable, again and again.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::quantiles::{Latencies, Quantiles};

const PAGE: [u8; 8192] = [7; 8192];
/// Pages of the file that is written around in, as a database does in a segment that exists.
const PAGES: u64 = 256;

/// Times `fdatasync`, which Postgres uses, in a file where temporary files lie.
///
/// # Errors
/// The file cannot be written.
pub(super) fn fsync(length: Duration) -> anyhow::Result<Quantiles> {
    let path = std::env::temp_dir().join(format!("bench-{}", std::process::id()));
    let result = measure(&path, length);
    let _ = std::fs::remove_file(&path);
    result.with_context(|| path.display().to_string())
}

fn measure(path: &std::path::Path, length: Duration) -> std::io::Result<Quantiles> {
    let mut file = File::create(path)?;
    for _ in 0..PAGES {
        file.write_all(&PAGE)?;
    }
    file.sync_all()?;
    let (mut times, begin) = (Latencies::new(), Instant::now());
    for page in (0..PAGES).cycle() {
        if begin.elapsed() >= length {
            break;
        }
        file.seek(SeekFrom::Start(page * PAGE.len() as u64))?;
        let began = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        times.add(began.elapsed());
    }
    Ok(times.quantiles())
}
