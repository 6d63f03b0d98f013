//! Signs that the machine had other things to do: then the numbers tell more of those.

use crate::calibrate::{Alone, Calibration};
use crate::quantiles::Quantiles;
use crate::results::Results;
use crate::shortfall::shortfall;

/// What was calibrated before and after may differ by this factor; tails, which are noisy, by the other.
const DRIFT: f64 = 1.2;
const DRIFT_OF_TAILS: f64 = 1.5;

/// Writers whose p99 is later than this, in milliseconds, do not write at the rate that is told.
const LATE: f64 = 10.0;

/// So much of the processors others may have, in percent.
pub(crate) const OTHERS: f64 = 10.0;

/// What speaks against the numbers, in words.
pub(crate) fn doubts(results: &Results) -> Vec<String> {
    let mut doubts = Vec::new();
    let (busy, processors) = (results.busy, results.processors);
    if busy > processors as f64 {
        doubts.push(format!(
            "{busy:.1} processes wanted the {processors} processors before anything was measured"
        ));
    }
    let used = others(results)
        .into_iter()
        .filter(|(_, others)| *others > OTHERS);
    doubts.extend(used.map(|(part, others)| {
        format!("others had {others:.0} % of the processors in the part {part}")
    }));
    if let (Some(before), Some(after)) = (&results.calibration, &results.calibration_after) {
        doubts.extend(drift(before, after));
    }
    if let Some(unheld) = results.unheld() {
        doubts.push(format!(
            "{unheld}; whatever is a part or a multiple of it is so of a rate that was not borne"
        ));
    }
    if let Some(wrong) = results.calm.as_ref().and_then(shortfall) {
        doubts.push(format!(
            "at 30 % of the top, where nothing should be held up: {wrong}"
        ));
    }
    if let Some(million) = results
        .million
        .as_ref()
        .filter(|million| !million.saturated())
    {
        let completed = million.without.completed;
        doubts.push(format!(
            "just above the top all of it completed ({completed:.0}/s) without a million finished orders: what these cost is more than their ratio tells"
        ));
    }
    let toolkit = results.toolkit.iter();
    let rates = toolkit.flat_map(|toolkit| &toolkit.relay.rates);
    doubts.extend(rates.filter_map(|rate| late(rate.per_second, &rate.late)));
    // Nobody is faster than the limit.
    let beyond = results.table.iter().filter(|row| {
        let limit = row.unit.contains('K') && !row.unit.contains("KiB");
        let drain = row.measure.starts_with("relay drain");
        // What is told as so much above a limit can be below it as little.
        row.ratio
            .is_some_and(|ratio| ratio < 0.0 || (limit && ratio < 1.0) || (drain && ratio > 1.0))
    });
    doubts.extend(beyond.map(|row| format!("beyond the limit: {}", row.measure)));
    doubts
}

/// How late rows were written, if that was no longer the rate that is told.
fn late(per_second: u32, by: &Quantiles) -> Option<String> {
    let p99 = by.p99;
    (p99 > LATE)
        .then(|| format!("the relay's rows at {per_second}/s were written {p99:.1} ms late (p99)"))
}

/// Percent of all processors that others had in each part.
fn others(results: &Results) -> Vec<(&'static str, f64)> {
    let calibrated = |calibration: &Calibration| calibration.others;
    let steps = results.top.iter().flat_map(|top| &top.steps);
    let alone = [
        ("idle", results.idle.as_ref().map(|idle| idle.others)),
        ("calibration", results.calibration.as_ref().map(calibrated)),
        (
            "calibration at last",
            results.calibration_after.as_ref().map(calibrated),
        ),
        (
            "toolkit",
            results.toolkit.as_ref().map(|toolkit| toolkit.others),
        ),
        (
            "unloaded",
            results.unloaded.as_ref().map(|unloaded| unloaded.others),
        ),
        (
            "looking for the top",
            steps.map(|step| step.others).reduce(f64::max),
        ),
    ];
    let runs = results.runs();
    let runs = runs.into_iter().map(|(name, run)| (name, run.bill.others));
    let alone = alone.into_iter();
    alone
        .filter_map(|(part, others)| Some((part, others?)))
        .chain(runs)
        .collect()
}

/// What the machine could do at the end, and not at the beginning, or the other way round.
fn drift(before: &Calibration, after: &Calibration) -> Vec<String> {
    let one = |name: &str, before, after| (name.to_owned(), before, after, DRIFT);
    let mut limits = vec![
        one("F", before.f(), after.f()),
        one("C1", before.commits_of_1, after.commits_of_1),
        one("C16", before.commits_of_16, after.commits_of_16),
    ];
    for Alone { per_second, times } in &before.kafka {
        let later = after.kafka_at(f64::from(*per_second));
        let (k, k99) = (
            format!("K at {per_second}/s"),
            format!("K99 at {per_second}/s"),
        );
        limits.push((k, times.p50, later.p50, DRIFT));
        limits.push((k99, times.p99, later.p99, DRIFT_OF_TAILS));
    }
    let drifted = limits
        .into_iter()
        .filter(|(_, before, after, most)| (before / after).max(after / before) > *most);
    drifted
        .map(|(name, before, after, _)| {
            let digits = if before < 100.0 { 3 } else { 0 };
            format!("{name} was {before:.digits$} at first and {after:.digits$} at last")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::examples::{calibration, times};

    #[test]
    fn a_machine_that_stayed_the_same_is_not_doubted() {
        let results = Results {
            processors: 2,
            busy: 0.5,
            calibration: Some(calibration(0.30, 16_000.0, times(0.5, 2.0))),
            calibration_after: Some(calibration(0.35, 14_000.0, times(0.55, 2.9))),
            ..Results::default()
        };
        assert_eq!(doubts(&results), Vec::<String>::new());
    }

    #[test]
    fn a_machine_that_has_other_things_to_do_is() {
        let results = Results {
            processors: 2,
            busy: 7.5,
            calibration: Some(calibration(0.30, 16_000.0, times(0.5, 2.0))),
            calibration_after: Some(calibration(0.37, 16_000.0, times(0.61, 3.1))),
            ..Results::default()
        };
        let found = doubts(&results);
        let drifted = [
            "F was 0.300 at first and 0.370 at last",
            "K at 500/s was 0.500 at first and 0.610 at last",
            "K99 at 500/s was 2.000 at first and 3.100 at last",
        ];
        assert_eq!(found[1..], drifted, "{found:?}");
    }

    #[test]
    fn writers_who_come_too_late_are() {
        assert_eq!(late(500, &times(0.5, 9.0)), None);
        let doubt = "the relay's rows at 500/s were written 11.0 ms late (p99)";
        assert_eq!(late(500, &times(0.5, 11.0)).as_deref(), Some(doubt));
    }

    #[test]
    fn a_part_in_which_others_worked_is_doubted() {
        let calibrated = |others| Calibration {
            others,
            ..calibration(0.30, 16_000.0, times(0.5, 2.0))
        };
        let results = Results {
            processors: 2,
            calibration: Some(calibrated(9.0)),
            calibration_after: Some(calibrated(23.0)),
            ..Results::default()
        };
        let doubt = "others had 23 % of the processors in the part calibration at last";
        assert_eq!(doubts(&results), [doubt]);
    }
}
