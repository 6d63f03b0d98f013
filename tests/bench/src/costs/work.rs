//! What each process has done, as it counts it itself: so that it can be seen how equals share the work, also where processors
//! are too few to show it.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use visitor::platform::{Platform, Probe};

use super::grown;
use crate::metrics::{self, Metrics};

/// What one process has done since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// Messages that its consumer handled.
    pub(crate) messages: f64,
    /// Requests that it answered, but for those about itself.
    pub(crate) requests: f64,
    /// Rows of outboxes that it published.
    pub(crate) rows: f64,
}

/// Asks all processes at once. Who does not answer is missing.
pub(crate) async fn look(platform: &Platform) -> BTreeMap<String, Work> {
    let speaking = platform.members.iter();
    let speaking = speaking.filter(|member| member.probe == Probe::Http);
    let asked = speaking.map(|member| async move {
        let told = metrics::of(platform, member).await?;
        Some((member.name.clone(), Work::told(&told)))
    });
    join_all(asked).await.into_iter().flatten().collect()
}

impl Work {
    fn told(metrics: &Metrics) -> Self {
        let about_itself = ["route=\"/health", "route=\"/metrics\""];
        Self {
            messages: metrics.sum("consumer_messages_total", |labels| {
                labels.contains("outcome=\"handled\"")
            }),
            requests: metrics.sum("http_requests_total", |labels| {
                !about_itself.iter().any(|route| labels.contains(route))
            }),
            rows: metrics.sum("relay_published_total", |_| true),
        }
    }

    /// What was done since an earlier moment.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            messages: grown(before.messages, self.messages),
            requests: grown(before.requests, self.requests),
            rows: grown(before.rows, self.rows),
        }
    }

    /// Everything together.
    pub(crate) fn all(self) -> f64 {
        self.messages + self.requests + self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_for_whoever_looks_is_no_work() {
        let work = Work::told(&metrics::told(
            "consumer_messages_total{consumer=\"a\",outcome=\"handled\"} 7\n\
            consumer_messages_total{consumer=\"a\",outcome=\"duplicate\"} 1\n\
            http_requests_total{method=\"POST\",route=\"/orders\",status=\"201\"} 3\n\
            http_requests_total{method=\"GET\",route=\"/orders/{id}\",status=\"200\"} 2\n\
            http_requests_total{method=\"GET\",route=\"/health/ready\",status=\"200\"} 40\n\
            http_requests_total{method=\"GET\",route=\"/metrics\",status=\"200\"} 50\n\
            relay_published_total{source=\"a\",shard=\"0\"} 4\n\
            relay_published_total{source=\"b\",shard=\"0\"} 6\n",
        ));
        let expected = Work {
            messages: 7.0,
            requests: 5.0,
            rows: 10.0,
        };
        assert_eq!(work, expected);
        assert!((work.all() - 22.0).abs() < 1e-9);
    }
}
