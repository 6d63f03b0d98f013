use simulation::{Defect, Plan, run};

/// A defect that hides for so many seeds is not found.
const SEEDS: u64 = 2_000;

/// What a defect is found by: one of these.
const fn signs(defect: Defect) -> &'static [&'static str] {
    match defect {
        Defect::NoDeduplication => &["is answered twice"],
        Defect::ReorderingRelay => &["appears before what was committed before it"],
        Defect::ForgetfulRelay => &["appears before what was committed", "never appeared"],
        Defect::FreshGatewayKeys => &["the gateway cannot", "money is held or taken"],
        Defect::SkippedCompensation => &["is not withdrawn", "money is held or taken"],
        Defect::OffsetBeforeCommit => &["not what the topics tell", "its saga WAITING"],
        Defect::ViewGoesBackwards => &["went back to a lower version"],
        Defect::StaleRepliesCount => &["awaits an answer to", "is not withdrawn", "is held or"],
        Defect::DeadlineFromDecision => &["met silence, and everybody answered"],
        Defect::NoTombstone => &["tells (", "money is held or taken"],
        Defect::EarlyEventsDropped => &["its saga WAITING"],
        Defect::SilentAboutDuplicates => &["does not come to rest"],
        Defect::ResentUnderANewId => &["has version"],
    }
}

#[test]
fn every_defect_that_is_put_in_is_found_by_what_it_breaks() {
    let mut hidden = Vec::new();
    for defect in Defect::ALL {
        let found = (0..SEEDS).find_map(|seed| {
            let mut plan = Plan::of(seed);
            plan.defect = Some(defect);
            let (violation, _) = run(&plan, false).err()?;
            let sign = |sign: &&str| violation.what.contains(*sign);
            signs(defect).iter().any(sign).then_some(violation)
        });
        match found {
            Some(violation) => {
                println!(
                    "DEFECT {defect:?}: seed {}: {}",
                    violation.seed, violation.what
                );
                let without = run(&Plan::of(violation.seed), false);
                assert!(without.is_ok(), "{defect:?}: {without:?}");
            }
            None => hidden.push(defect),
        }
    }
    assert!(hidden.is_empty(), "not found: {hidden:?}");
}
