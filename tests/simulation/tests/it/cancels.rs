use std::collections::BTreeMap;

use contracts::OrderState;
use order_service::{messages::orchestrator, saga::version_1};
use saga::Step;
use simulation::{Plan, Story, Weather, When};

use crate::crowd::run_all;

/// Races at each step.
const RACES: u64 = 1_000;

#[test]
fn a_cancellation_may_race_with_every_step() {
    let patience = Plan::calm(0, Vec::new()).patience;
    let orders = orchestrator(patience).unwrap();
    let steps = orders.definitions().current().steps();
    let mut ends: BTreeMap<&str, BTreeMap<OrderState, u64>> = BTreeMap::new();
    let mut met_at: BTreeMap<(&str, String), u64> = BTreeMap::new();
    let mut asked_at: BTreeMap<&str, u64> = BTreeMap::new();
    for step in steps.iter().map(Step::name) {
        let plans = (0..RACES).map(|seed| {
            // So soon behind the beginning of the step that it meets every message of it, and of the next one.
            let when = |wait| When::AtStep(step.to_owned(), wait);
            let story = Story {
                cancels: vec![when(seed % 25), when(seed % 7)],
                hands: (0, seed % 30),
                ..Story::default()
            };
            let mut plan = Plan::calm(seed, vec![story]);
            if seed.is_multiple_of(2) {
                plan.weather = Weather {
                    crash_before_commit: 0.05,
                    crash_after_commit: 0.05,
                    sent_again: 0.1,
                    bad_line: 0.1,
                    ..Weather::default()
                };
            }
            plan
        });
        for (_, result) in run_all(plans) {
            let report = result.unwrap_or_else(|violation| panic!("{step}: {violation}"));
            for end in report.ends {
                // A saga does not stand at a step whose event has come before.
                assert!([0, 2].contains(&end.cancels), "{step}: {}", end.cancels);
                *asked_at.entry(step).or_default() += u64::from(end.cancels == 2);
                match &end.cancel_met {
                    Some(met) => *met_at.entry((step, met.clone())).or_default() += 1,
                    None => assert_eq!(end.state, OrderState::Complete, "{step}"),
                }
                *ends.entry(step).or_default().entry(end.state).or_default() += 1;
            }
        }
    }
    for step in steps.iter().map(Step::name) {
        println!("CANCELS at {step:?}, {RACES} races: {:?}", ends[step]);
        assert_eq!(ends[step].values().sum::<u64>(), RACES);
        assert!(asked_at[step] > RACES / 10, "{step}: {asked_at:?}");
    }
    // Up to the last step at which it may be cancelled, the request met the saga at that very step, many times.
    for step in steps.iter().map(Step::name).take(7) {
        let met = met_at.get(&(step, step.to_owned())).copied();
        assert!(
            met.is_some_and(|met| met > RACES / 10),
            "{step}: {met_at:?}"
        );
    }
    // Early ones are cancelled, late ones delivered, and in between it is a race.
    assert_eq!(
        ends["verify customer"].keys().collect::<Vec<_>>(),
        [&OrderState::Cancelled]
    );
    assert_eq!(
        ends["ready ticket"].keys().collect::<Vec<_>>(),
        [&OrderState::Complete]
    );
    assert_eq!(ends["cooked"].len(), 2, "{:?}", ends["cooked"]);
}

#[test]
fn an_order_that_began_before_orders_could_be_cancelled_goes_on_whenever_it_is_asked_for() {
    let patience = Plan::calm(0, Vec::new()).patience;
    let former = version_1::definition(patience).unwrap();
    let mut asked = 0;
    for step in former.steps().iter().map(Step::name) {
        let plans = (0..100).map(|seed| {
            let story = Story {
                version: 1,
                cancels: vec![When::AtStep(step.to_owned(), seed % 25)],
                hands: (0, seed % 30),
                ..Story::default()
            };
            Plan::calm(seed, vec![story])
        });
        for (_, result) in run_all(plans) {
            let report = result.unwrap_or_else(|violation| panic!("{step}: {violation}"));
            for end in report.ends {
                assert_eq!((end.state, end.cancel_met), (OrderState::Complete, None));
                asked += end.cancels;
            }
        }
    }
    println!("CANCELS of orders on version 1: {asked}, none granted");
    assert!(asked > 1_000, "{asked}");
}
