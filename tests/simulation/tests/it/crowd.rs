//! Many runs, on all cores.

use std::{num::NonZero, sync::Mutex, thread};

use simulation::{Plan, Report, Violation, run};

/// Runs plans, and gives what they came to, in no particular order.
pub(crate) fn run_all(
    plans: impl Iterator<Item = Plan> + Send,
) -> Vec<(Plan, Result<Report, Violation>)> {
    let (plans, results) = (Mutex::new(plans), Mutex::new(Vec::new()));
    let cores = thread::available_parallelism().map_or(2, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let Some(plan) = plans.lock().unwrap().next() else {
                        return;
                    };
                    let result = run(&plan, false).map_err(|(violation, _)| violation);
                    results.lock().unwrap().push((plan, result));
                }
            });
        }
    });
    results.into_inner().unwrap()
}
