//! Stops everything; the data stays.

use crate::layout::Layout;
use crate::{console, daemon, files};

/// Stops what runs, if anything does.
pub(crate) async fn run(layout: &Layout) -> anyhow::Result<()> {
    if !layout.root().exists() {
        console::say("nothing runs");
        return Ok(());
    }
    let _lock = files::lock(&layout.operator_lock(), "another `up`, `down` or `clean`")?;
    daemon::stop(layout).await?;
    console::say("stopped; the data is kept (`make clean` removes it)");
    Ok(())
}
