//! What was done and what was found, as tables and as JSON.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use serde_json::Value;
use visitor::console::say;
use visitor::violation::Violation;

use crate::faults::Done;
use crate::recovery::{CALM, Measured, Recovery, Times};

/// More violations than this are counted, not shown.
const SHOWN: usize = 30;

/// Everything about a run.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) seconds: u64,
    pub(crate) rate: f64,
    /// How to have the same again.
    pub(crate) again: String,
    pub(crate) orders: usize,
    /// Orders by the state that they ended in.
    pub(crate) ends: BTreeMap<String, usize>,
    pub(crate) requests: u64,
    pub(crate) retries: u64,
    pub(crate) faults: Vec<Done>,
    /// The longest span of the run in which no order moved on, in seconds.
    pub(crate) standstill: f64,
    /// From the last fault's end until all was ready, and until all orders had ended; in seconds.
    pub(crate) ready_after: f64,
    pub(crate) ended_after: f64,
    pub(crate) recovery: Recovery,
    pub(crate) violations: Vec<Violation>,
    /// The operator's audit.
    pub(crate) audit: Value,
    /// Records of the topics that were looked at.
    pub(crate) records: usize,
}

impl Report {
    /// Prints everything that a person wants to know.
    pub(crate) fn print(&self) {
        self.print_recovery();
        self.print_faults();
        self.print_orders();
        for violation in self.violations.iter().take(SHOWN) {
            let order = violation.order.as_deref().unwrap_or("-");
            say(format_args!("VIOLATION  order {order}: {}", violation.what));
        }
        if self.violations.len() > SHOWN {
            say(format_args!("… and {} more", self.violations.len() - SHOWN));
        }
        say(format_args!("seed {}; again: {}", self.seed, self.again));
        let count = |deed: &str| {
            self.faults
                .iter()
                .filter(|done| done.hit && done.deed == deed)
                .count()
        };
        say(format_args!(
            "chaos: {} orders, {} kills, {} pauses, {} restarts: {} violations",
            self.orders,
            count("kill"),
            count("pause"),
            count("restart"),
            self.violations.len()
        ));
    }

    fn print_orders(&self) {
        let mut table = table(&["orders", "", ""]);
        row(
            &mut table,
            ["placed".to_owned(), self.orders.to_string(), String::new()],
        );
        for (end, count) in &self.ends {
            row(
                &mut table,
                [format!("  {end}"), count.to_string(), String::new()],
            );
        }
        row(
            &mut table,
            [
                "requests".to_owned(),
                self.requests.to_string(),
                format!("{} of them retries", self.retries),
            ],
        );
        row(
            &mut table,
            [
                "records".to_owned(),
                self.records.to_string(),
                "in the topics".to_owned(),
            ],
        );
        let spans = [
            ("longest standstill", self.standstill, "no order moved on"),
            ("all ready after", self.ready_after, "from the last fault"),
            (
                "all orders ended after",
                self.ended_after,
                "from the last fault",
            ),
        ];
        for (name, seconds, what) in spans {
            row(
                &mut table,
                [name.to_owned(), format!("{seconds:.1} s"), what.to_owned()],
            );
        }
        say(table);
    }

    fn print_faults(&self) {
        if self.faults.is_empty() {
            return;
        }
        let mut table = table(&[
            "process", "kills", "pauses", "restarts", "paused s", "missed",
        ]);
        let victims: BTreeSet<&str> = self
            .faults
            .iter()
            .map(|done| done.victim.as_str())
            .collect();
        for victim in victims {
            let own: Vec<&Done> = self
                .faults
                .iter()
                .filter(|done| done.victim == victim)
                .collect();
            let count = |deed: &str| {
                own.iter()
                    .filter(|done| done.hit && done.deed == deed)
                    .count()
                    .to_string()
            };
            let paused: f64 = own
                .iter()
                .filter(|done| done.hit)
                .map(|done| done.seconds)
                .sum();
            let missed = own.iter().filter(|done| !done.hit).count();
            let cells = [
                count("kill"),
                count("pause"),
                count("restart"),
                format!("{paused:.1}"),
                missed.to_string(),
            ];
            row(&mut table, [victim.to_owned()].into_iter().chain(cells));
        }
        say(table);
    }

    fn print_recovery(&self) {
        if self.recovery.kinds.is_empty() {
            return;
        }
        let mut table = table(&[
            "seconds, p50 / max of each",
            "blows",
            "up again",
            "first order",
            "last of 12",
            "what counts",
            "is",
            "bound",
            "",
        ]);
        for Measured { kind, trials } in &self.recovery.kinds {
            let of = |measure: &dyn Fn(&Times) -> Option<f64>| spread(trials.iter().map(measure));
            row(
                &mut table,
                [
                    kind.title.clone(),
                    trials.len().to_string(),
                    of(&|times| times.up),
                    of(&|times| times.first),
                    of(&|times| times.all),
                    kind.counts.words().to_owned(),
                    of(&|times| kind.counts.of(times)),
                    format!("{:.1}", kind.bound),
                    if kind.holds(trials) { "kept" } else { "MISSED" }.to_owned(),
                ],
            );
        }
        say(table);
        let Recovery {
            usual,
            usual_at_most,
            ..
        } = self.recovery;
        say(format_args!(
            "an order that nothing holds up needs {usual:.2} s until it is PREPARING here, {usual_at_most:.2} s at most"
        ));
        if usual_at_most > CALM.as_secs_f64() {
            say(
                "the machine is busy with other things: these times tell more of it than of the platform",
            );
        }
        say("");
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_header(header.iter().copied());
    table
}

fn row(table: &mut Table, cells: impl IntoIterator<Item = String>) {
    table.add_row(cells);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// `p50 / max`; `never` where one is missing and others are not; a dash where all are.
fn spread(values: impl Iterator<Item = Option<f64>>) -> String {
    let values: Vec<Option<f64>> = values.collect();
    let mut known: Vec<f64> = values.iter().filter_map(|value| *value).collect();
    known.sort_by(f64::total_cmp);
    let Some(max) = known.last() else {
        return "–".to_owned();
    };
    let middle = known[(known.len() - 1) / 2];
    if known.len() < values.len() {
        return format!("{middle:.2} / never");
    }
    format!("{middle:.2} / {max:.2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_middle_and_the_worst() {
        assert_eq!(
            spread([Some(3.0), Some(1.0), Some(2.0)].into_iter()),
            "2.00 / 3.00"
        );
        assert_eq!(spread([Some(1.0), None].into_iter()), "1.00 / never");
        assert_eq!(spread([None].into_iter()), "–");
    }
}
