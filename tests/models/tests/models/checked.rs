//! Runs a check, and tells what it saw in one line that no test runner holds back.
#![expect(clippy::print_stdout, reason = "a counterexample is there to be read")]

use std::{
    collections::{BTreeSet, HashMap},
    fmt::Debug,
    hash::{DefaultHasher, Hash, Hasher},
    io::{Write, stdout},
    thread::available_parallelism,
};

use stateright::{Checker, HasDiscoveries, Model};

/// Visits all states of a model. Every property holds, and everything that must be possible is.
pub(crate) fn exhaustively<M>(name: &str, model: M)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq,
{
    let threads = available_parallelism().map_or(1, Into::into);
    let checker = model.checker().threads(threads).spawn_bfs().join();
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    tell(&format!("MODEL {name}: {states} states, {steps} steps"));
    checker.assert_properties();
}

/// Looks for a short way to break a property, and tells how long it is.
pub(crate) fn breaks<M>(name: &str, model: M, property: &'static str)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync,
    M::Action: Clone + Debug + PartialEq,
{
    let found = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let threads = available_parallelism().map_or(1, Into::into);
    let checker = model
        .checker()
        .threads(threads)
        .finish_when(found)
        .spawn_bfs()
        .join();
    let Some(path) = checker.discovery(property) else {
        let others = checker.discoveries();
        let failed = others.keys().filter(|name| {
            let failure = |it: &stateright::Property<M>| {
                it.name == **name && it.expectation.discovery_is_failure()
            };
            checker.model().properties().iter().any(failure)
        });
        panic!(
            "{name}: {property:?} is not broken, but {:?}",
            failed.collect::<Vec<_>>()
        );
    };
    let actions = path.into_actions();
    tell(&format!(
        "MODEL {name} breaks {property:?} in {} steps",
        actions.len()
    ));
    println!("{actions:#?}");
}

/// No state is reached twice on one way: so what is said of all ways' ends is said of all ways.
pub(crate) fn has_no_circle<M: Model>(name: &str, model: &M)
where
    M::State: Debug + Hash,
{
    // Of each state that was met, whether it lies on the way that is being walked.
    let mut met = HashMap::new();
    let mut way = vec![(None, model.init_states())];
    while let Some((at, next)) = way.last_mut() {
        let Some(state) = next.pop() else {
            met.extend(at.map(|at| (at, false)));
            way.pop();
            continue;
        };
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        let here = hasher.finish();
        match met.get(&here) {
            Some(on_the_way) => assert!(!on_the_way, "{name} runs in a circle at {state:?}"),
            None => {
                met.insert(here, true);
                way.push((Some(here), model.next_states(&state)));
            }
        }
    }
    tell(&format!(
        "MODEL {name} has no circle among {} states",
        met.len()
    ));
}

#[expect(
    clippy::explicit_write,
    reason = "what println! says is shown of failed tests only"
)]
fn tell(line: &str) {
    writeln!(stdout(), "{line}").unwrap();
}
