use std::collections::BTreeMap;

use order_service::saga::VERSION;
use simulation::{Plan, run};

use crate::crowd::run_all;

/// `SEEDS=100000` runs more of them.
fn seeds() -> u64 {
    std::env::var("SEEDS").map_or(10_000, |seeds| seeds.parse().unwrap())
}

#[test]
fn whatever_goes_wrong_no_promise_is_broken_and_every_order_ends() {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    let (mut events, mut violations) = (0, Vec::new());
    for (_, result) in run_all((0..seeds()).map(Plan::of)) {
        match result {
            Ok(report) => {
                events += report.events;
                for end in report.ends {
                    let state = end.state.to_string();
                    if end.version < VERSION {
                        let former = format!("{state} on a former version");
                        *met.entry(former).or_default() += 1;
                        *met.entry("not to be cancelled on a former version".to_owned())
                            .or_default() += usize::from(end.cancels > 0);
                    }
                    let why = end.rejected_for.map(|code| code.as_str().to_owned());
                    *met.entry(
                        [Some(state), why]
                            .into_iter()
                            .flatten()
                            .collect::<Vec<_>>()
                            .join(" "),
                    )
                    .or_default() += 1;
                    *met.entry("refunded".to_owned()).or_default() += usize::from(end.refunded);
                    *met.entry("asked again".to_owned()).or_default() +=
                        usize::from(end.asked_again);
                    *met.entry("was stuck".to_owned()).or_default() += usize::from(end.was_stuck);
                    *met.entry("cancelled too late".to_owned()).or_default() +=
                        usize::from(end.cancelled_too_late);
                }
            }
            Err(violation) => violations.push(violation.to_string()),
        }
    }
    println!("SIMULATION {} seeds, {events} events: {met:?}", seeds());
    let few = violations.iter().take(5).cloned().collect::<Vec<_>>();
    assert!(
        violations.is_empty(),
        "{} violations\n{}",
        violations.len(),
        few.join("\n")
    );
    // A simulation in which these never happen proves nothing.
    for interesting in [
        "COMPLETE",
        "CANCELLED",
        "COMPLETE on a former version",
        "REJECTED on a former version",
        "not to be cancelled on a former version",
        "REJECTED CUSTOMER_SUSPENDED",
        "REJECTED ITEM_UNAVAILABLE",
        "REJECTED CARD_DECLINED",
        "REJECTED NO_ANSWER",
        "REJECTED SENT_BACK",
        "refunded",
        "asked again",
        "was stuck",
        "cancelled too late",
    ] {
        assert!(
            met.get(interesting).is_some_and(|count| *count > 0),
            "{interesting}: {met:?}"
        );
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..20 {
        let log = || run(&Plan::of(seed), true).unwrap().log;
        assert_eq!(log(), log(), "seed {seed}");
    }
}
