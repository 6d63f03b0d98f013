//! Signs that the machine had other things to do: then the numbers tell more of those.

use crate::calibrate::Calibration;
use crate::results::Results;
use crate::shortfall::shortfall;

/// What was calibrated before and after may differ by this factor.
const DRIFT: f64 = 1.5;

/// What speaks against the numbers, in words.
pub(crate) fn doubts(results: &Results) -> Vec<String> {
    let mut doubts = Vec::new();
    let (busy, processors) = (results.busy, results.processors);
    if busy > processors as f64 {
        doubts.push(format!(
            "{busy:.1} processes wanted the {processors} processors before anything was measured"
        ));
    }
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
    // Nobody is faster than the limit.
    let beyond = results.table.iter().filter(|row| {
        let limit = row.unit.contains('K') && !row.unit.contains("KiB");
        let drain = row.measure.starts_with("relay drain");
        row.ratio
            .is_some_and(|ratio| (limit && ratio < 1.0) || (drain && ratio > 1.0))
    });
    doubts.extend(beyond.map(|row| format!("beyond the limit: {}", row.measure)));
    doubts
}

/// What the machine could do at the end, and not at the beginning, or the other way round.
fn drift(before: &Calibration, after: &Calibration) -> Vec<String> {
    let measures = [
        ("F", before.f(), after.f()),
        ("C16", before.commits_of_16, after.commits_of_16),
        ("K", before.kafka_at(0.0).p50, after.kafka_at(0.0).p50),
    ];
    let drifted = measures
        .into_iter()
        .filter(|(_, before, after)| (before / after).max(after / before) > DRIFT);
    drifted
        .map(|(name, before, after)| {
            format!("{name} was {before:.2} at first and {after:.2} at last")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantiles::Quantiles;

    fn calibration(f: f64, commits_of_16: f64) -> Calibration {
        Calibration {
            fsync: Quantiles::default(),
            commit: Quantiles {
                p50: f,
                ..Quantiles::default()
            },
            commits_of_1: 1_000.0,
            commits_of_16,
            kafka: Vec::new(),
        }
    }

    #[test]
    fn a_machine_that_stayed_the_same_is_not_doubted() {
        let results = Results {
            processors: 2,
            busy: 0.5,
            calibration: Some(calibration(0.30, 16_000.0)),
            calibration_after: Some(calibration(0.35, 14_000.0)),
            ..Results::default()
        };
        assert_eq!(doubts(&results), Vec::<String>::new());
    }

    #[test]
    fn a_machine_that_has_other_things_to_do_is() {
        let results = Results {
            processors: 2,
            busy: 7.5,
            calibration: Some(calibration(0.30, 16_000.0)),
            calibration_after: Some(calibration(0.60, 16_000.0)),
            ..Results::default()
        };
        let found = doubts(&results);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].starts_with("F was 0.30"), "{found:?}");
    }
}
