use order_service::saga::VERSION;
use simulation::matrix::{For, Trouble, cells};

use crate::crowd::run_all;

/// Runs of each cell: chance decides how long everything takes.
const SEEDS: u64 = 20;

#[test]
fn whatever_goes_wrong_with_whichever_command_the_order_ends_as_it_should() {
    let cells = cells().unwrap();
    let mut wrong = Vec::new();
    for cell in &cells {
        let plans = (0..SEEDS).map(|seed| {
            let mut plan = cell.plan.clone();
            plan.seed = seed;
            plan
        });
        for (_, result) in run_all(plans) {
            let report = match result {
                Ok(report) => report,
                Err(violation) => {
                    wrong.push(format!("{cell}: {violation}"));
                    continue;
                }
            };
            if let Some(scripted) = cell.scripted
                && !report.struck.contains_key(&scripted)
            {
                wrong.push(format!("{cell}: nothing went wrong"));
            }
            wrong.extend(
                report
                    .ends
                    .iter()
                    .filter_map(|end| cell.explains(end).err()),
            );
        }
    }
    let of = |version| cells.iter().filter(move |cell| cell.version == version);
    for version in 1..=VERSION {
        println!(
            "MATRIX version {version}: {} cells, {SEEDS} runs of each",
            of(version).count()
        );
    }
    let few: Vec<_> = wrong.iter().take(10).cloned().collect();
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        few.join("\n")
    );
}

#[test]
fn the_matrix_has_every_command_of_every_definition() {
    let cells = cells().unwrap();
    let count = |version, purpose| {
        let mut steps: Vec<_> = cells
            .iter()
            .filter(|cell| cell.version == version && cell.purpose == purpose)
            .filter(|cell| cell.trouble != Trouble::Refused)
            .map(|cell| cell.step.clone())
            .collect();
        steps.dedup();
        steps.len()
    };
    let purposes = [For::Do, For::Undo, For::Cancel, For::Arbitrate];
    assert_eq!(purposes.map(|purpose| count(1, purpose)), [10, 2, 0, 0]);
    assert_eq!(purposes.map(|purpose| count(2, purpose)), [10, 2, 2, 1]);
    assert!(cells.iter().all(|cell| cell.version <= VERSION));
}
