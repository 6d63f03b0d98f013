use contracts::OrderState;
use order_service::messages::definitions;
use saga::Step;
use simulation::{Plan, Story, Weather, When};

use crate::crowd::run_all;

/// Races at each step.
const RACES: u64 = 200;

#[test]
fn a_refund_races_with_everything_that_is_late_and_is_made_once() {
    let definitions = definitions(Plan::calm(0, Vec::new()).patience).unwrap();
    let steps = definitions.current().steps().iter().map(Step::name);
    // From the moment at which something may have been taken.
    let steps = steps.skip_while(|step| *step != "capture payment");
    let mut refunds = 0;
    for step in steps {
        let plans = (0..RACES).map(|seed| {
            // Soon, or when the order has long been COMPLETE and only what is late is still on its way.
            let when = |wait| When::AtStep(step.to_owned(), wait);
            let story = Story {
                refunds: vec![when(seed % 25), when(seed * 100)],
                hands: (0, seed % 30),
                ..Story::default()
            };
            let mut plan = Plan::calm(seed, vec![story]);
            plan.weather = Weather {
                crash_before_commit: 0.05,
                crash_after_commit: 0.1,
                rewind: 0.1,
                sent_again: 0.2,
                slow: 0.1,
                slowest: 20_000,
                forgotten: 0.3,
                bad_line: 0.3,
                called_twice: 0.3,
                ..Weather::default()
            };
            plan
        });
        for (_, result) in run_all(plans) {
            let report = result.unwrap_or_else(|violation| panic!("{step}: {violation}"));
            for end in report.ends {
                // At a step whose event came before, the saga does not stand, and nobody asks.
                assert_eq!(end.state, OrderState::Complete, "{step}");
                refunds += u64::from(end.refunded);
            }
        }
    }
    println!("REFUNDS {refunds}, each asked for twice");
    assert!(refunds > RACES * 3, "{refunds}");
}
