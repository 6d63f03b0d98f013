use simulation::{Defect, Plan, run};

/// A defect that hides for so many seeds is not found.
const SEEDS: u64 = 2_000;

#[test]
fn every_defect_that_is_put_in_is_found() {
    let mut hidden = Vec::new();
    for defect in Defect::ALL {
        let found = (0..SEEDS).find_map(|seed| {
            let mut plan = Plan::of(seed);
            plan.defect = Some(defect);
            run(&plan, false).err()
        });
        match found {
            Some((violation, _)) => {
                println!(
                    "DEFECT {defect:?}: seed {}: {}",
                    violation.seed, violation.what
                );
            }
            None => hidden.push(defect),
        }
    }
    assert!(hidden.is_empty(), "not found: {hidden:?}");
}
