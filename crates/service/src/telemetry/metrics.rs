//! Metrics, collected in this process and shown at `/metrics` in Prometheus' format.

use std::{sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Buckets of what is measured in seconds: around a local commit at the low end, around time-outs at the high end.
const SECONDS: [f64; 14] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5.0, 10.0,
];
/// Buckets of what is counted (names that end in `_size`): batches, mostly.
const SIZES: [f64; 11] = [
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0,
];
/// How often samples are drained into their buckets; until then they take memory.
const UPKEEP: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Makes this process collect metrics.
pub(super) fn start() {
    RECORDER.get_or_init(install);
}

/// All metrics as text. Empty when none are collected.
pub(crate) fn render() -> String {
    RECORDER
        .get_or_init(install)
        .as_ref()
        .map_or_else(String::new, PrometheusHandle::render)
}

fn install() -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new()
        .set_buckets(&SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), &SIZES)
        });
    let handle = match builder {
        Ok(builder) => {
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            ::metrics::set_global_recorder(recorder)
                .map(|()| handle)
                .map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    handle
        .inspect_err(|error| tracing::warn!(error, "no metrics are collected"))
        .ok()
}

/// Keeps the memory of the recorder small, for as long as the process lives.
pub(crate) async fn keep_up() {
    let mut every = tokio::time::interval(UPKEEP);
    loop {
        every.tick().await;
        if let Some(Some(handle)) = RECORDER.get() {
            handle.run_upkeep();
        }
    }
}
