//! Shows what the processes print, as they print it.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::sleep;

use crate::console;
use crate::layout::Layout;

const LOOK: Duration = Duration::from_millis(200);
/// Lines of each log that are shown first.
const TAIL: usize = 10;
/// How much of a log's end is read to find them, in bytes.
const TAIL_BYTES: u64 = 16 << 10;

/// Follows the named logs, or all, until interrupted.
pub(crate) async fn run(layout: &Layout, names: &[String]) -> anyhow::Result<()> {
    let names = if names.is_empty() {
        all(layout)?
    } else {
        names.to_vec()
    };
    let width = names.iter().map(String::len).max().unwrap_or_default();
    let mut followed = Vec::new();
    for name in names {
        let path = layout.log(&name);
        if !path.exists() {
            bail!(
                "there is no log of `{name}`; there are: {}",
                all(layout)?.join(", ")
            );
        }
        for line in tail(&path, TAIL).lines() {
            console::say(format_args!("{name:width$} | {line}"));
        }
        let position = fs::metadata(&path)?.len();
        followed.push((name, path, position));
    }
    loop {
        for (name, path, position) in &mut followed {
            for line in news(path, position)?.lines() {
                console::say(format_args!("{name:width$} | {line}"));
            }
        }
        sleep(LOOK).await;
    }
}

fn all(layout: &Layout) -> anyhow::Result<Vec<String>> {
    let folder = layout.logs();
    let entries = fs::read_dir(&folder)
        .with_context(|| format!("no logs in {}: `make run` first", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            Some(
                entry
                    .ok()?
                    .file_name()
                    .to_str()?
                    .strip_suffix(".log")?
                    .to_owned(),
            )
        })
        .collect();
    names.sort();
    Ok(names)
}

/// The whole lines written since `position`, which moves behind them. A log that became shorter
/// was put aside: it is read from its beginning.
fn news(path: &Path, position: &mut u64) -> anyhow::Result<String> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() < *position {
        *position = 0;
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(*position))?;
    file.read_to_end(&mut bytes)?;
    let whole = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    *position += u64::try_from(whole)?;
    Ok(String::from_utf8_lossy(&bytes[..whole]).into_owned())
}

/// The last lines of a log, as far as it can be read.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map(|_| bytes)
    };
    let text = read()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
