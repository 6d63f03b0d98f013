//! What processes tell of themselves, in Prometheus' format.

mod histogram;

use visitor::platform::{Member, Platform};

pub(crate) use histogram::Histogram;

/// What one process has told.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(String);

/// Asks a process. Nothing: it does not answer.
pub(crate) async fn of(platform: &Platform, member: &Member) -> Option<Metrics> {
    platform.metrics(member).await.map(Metrics)
}

impl Metrics {
    /// All series of a name together whose labels, as they are written, are wanted.
    pub(crate) fn sum(&self, name: &str, wanted: impl Fn(&str) -> bool) -> f64 {
        let wanted = self.series(name).filter(|(labels, _)| wanted(labels));
        wanted.map(|(_, value)| value).sum()
    }

    /// All series of a name, with their labels as they are written.
    fn series(&self, name: &str) -> impl Iterator<Item = (&str, f64)> {
        let lines = self.0.lines().filter_map(|line| line.rsplit_once(' '));
        lines.filter_map(move |(series, value)| {
            let labels = series.strip_prefix(name)?;
            let named = labels.is_empty() || labels.starts_with('{');
            Some((labels, value.parse().ok()?)).filter(|_| named)
        })
    }
}

#[cfg(test)]
pub(crate) fn told(text: &str) -> Metrics {
    Metrics(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_a_name_are_added_up_by_their_labels() {
        let told = told(
            "# TYPE calls histogram\n\
            calls_bucket{call=\"authorise\",le=\"0.001\"} 3\n\
            calls_sum{call=\"authorise\"} 0.5\n\
            calls_sum{call=\"capture\"} 9.5\n\
            calls_sum_of_others 7\n\
            plain 4\n",
        );
        let one = told.sum("calls_sum", |labels| labels.contains("authorise"));
        assert!((one - 0.5).abs() < 1e-9);
        assert!((told.sum("calls_sum", |_| true) - 10.0).abs() < 1e-9);
        assert!((told.sum("plain", |_| true) - 4.0).abs() < 1e-9);
        assert!(told.sum("unheard", |_| true).abs() < 1e-9);
    }
}
