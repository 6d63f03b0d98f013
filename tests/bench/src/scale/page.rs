//! What people read: runs with different numbers of instances beside each other.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::Table;
use visitor::console::say;

use super::{Measured, Series, Told};
use crate::costs::work::Work;
use crate::doubts::OTHERS;
use crate::print::{fresh, right};

/// What the column is not.
const STANDSTILL: &str = "Standstill is the longest time in which no order at all completed. \
    Orders in the partitions of a dead instance stand still for longer, until others have taken those over.";

/// One of the things that are counted of a process.
type Kind = fn(&Work) -> f64;

/// What is counted, and what that is called.
const KINDS: [(&str, Kind); 3] = [
    ("messages handled", |work| work.messages),
    ("requests answered", |work| work.requests),
    ("rows relayed", |work| work.rows),
];

/// Prints everything.
pub(super) fn print(series: &Series) {
    for table in [loads(series), shares(series), blows(series)] {
        say(table);
    }
    say(STANDSTILL);
    for line in violations(series) {
        say(format_args!("VIOLATION  {line}"));
    }
}

/// The same as Markdown, for a page of the documentation.
pub(super) fn markdown(series: &Series) -> String {
    let measured = series.runs.iter().map(|run| {
        let doubt = if run.others > OTHERS { ": DOUBTFUL" } else { "" };
        format!(
            "- {} of each: {}, {:.0} orders a second for {} s, on {} processors, of which others had {:.0} %{doubt}.",
            run.instances, run.at, run.rate, run.seconds, run.processors, run.others
        )
    });
    let violations = match violations(series) {
        none if none.is_empty() => vec![
            "No violation: every order that was taken has completed, and the audit found nothing."
                .to_owned(),
        ],
        some => some
            .into_iter()
            .map(|line| format!("- VIOLATION {line}"))
            .collect(),
    };
    let parts = [
        "# One, two and three instances".to_owned(),
        "Written by `make scale OUT=docs/benchmarks`; [scaling](../scaling.md) says how to read it.".to_owned(),
        measured.collect::<Vec<_>>().join("\n"),
        loads(series).to_string(),
        STANDSTILL.to_owned(),
        "Work of each instance in the window of the load with all alive, beside that of its equals:".to_owned(),
        shares(series).to_string(),
        "What was killed, in its order:".to_owned(),
        blows(series).to_string(),
        violations.join("\n"),
    ];
    parts.join("\n\n") + "\n"
}

/// The loads, a line for each.
fn loads(series: &Series) -> Table {
    let mut table = fresh(&[
        "instances",
        "",
        "offered/s",
        "completed/s",
        "hop p50 ms",
        "hop p99 ms",
        "POST p99 ms",
        "CPU s per 1,000",
        "taken",
        "completed",
        "turned away",
        "failed",
        "nobody there",
        "broken off",
        "standstill of all s",
    ]);
    for run in &series.runs {
        table.add_row(load(run, "all alive", &run.calm, Some(run.cpu)));
        if let Some(killed) = &run.killed {
            table.add_row(load(run, "one by one killed", &killed.told, None));
        }
    }
    right(&mut table, 2..15)
}

/// The processor time of a load in which processes are killed is not known: theirs goes with them.
fn load(run: &Measured, name: &str, told: &Told, cpu: Option<f64>) -> Vec<String> {
    let offered = &told.offered;
    vec![
        run.instances.to_string(),
        name.to_owned(),
        format!("{:.1}", offered.arrivals as f64 / run.seconds as f64),
        format!("{:.1}", told.completed),
        format!("{:.1}", told.hops.p50),
        format!("{:.1}", told.hops.p99),
        format!("{:.1}", offered.post.p99),
        cpu.map_or(String::new(), |cpu| format!("{cpu:.2}")),
        offered.taken().to_string(),
        told.completions.to_string(),
        offered.shed().to_string(),
        (offered.failed() + offered.given_up).to_string(),
        offered.unreached.to_string(),
        offered.broken.to_string(),
        format!("{:.2}", told.standstill),
    ]
}

/// Who has done how much: a line for each service and kind of work, a column for each number of instances.
fn shares(series: &Series) -> Table {
    let numbers = series.runs.iter().map(|run| run.instances.to_string());
    let header: Vec<String> = ["service", "work"]
        .map(str::to_owned)
        .into_iter()
        .chain(numbers)
        .collect();
    let mut table = fresh(&header.iter().map(String::as_str).collect::<Vec<_>>());
    let services: BTreeSet<&str> = series
        .runs
        .iter()
        .flat_map(|run| run.work.keys())
        .map(|name| service(name))
        .collect();
    for name in services {
        for (kind, of) in KINDS {
            let cells: Vec<String> = series
                .runs
                .iter()
                .map(|run| share(&run.work, name, of))
                .collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                table.add_row([name.to_owned(), kind.to_owned()].into_iter().chain(cells));
            }
        }
    }
    right(&mut table, 2..2 + series.runs.len())
}

/// What each instance of a service has done, if any did: `510 + 490`.
fn share(work: &BTreeMap<String, Work>, name: &str, of: Kind) -> String {
    let equals = work.iter().filter(|(process, _)| service(process) == name);
    let done: Vec<f64> = equals.map(|(_, work)| of(work)).collect();
    if done.iter().all(|done| *done < 0.5) {
        return String::new();
    }
    let done: Vec<String> = done.iter().map(|done| format!("{done:.0}")).collect();
    done.join(" + ")
}

/// The service that a process is an instance of: `order-view-1` of `order-view`.
fn service(process: &str) -> &str {
    match process.rsplit_once('-') {
        Some((name, slot)) if slot.parse::<u16>().is_ok() => name,
        _ => process,
    }
}

fn blows(series: &Series) -> Table {
    let mut table = fresh(&[
        "instances",
        "killed",
        "ready again s",
        "standstill of all after it s",
    ]);
    for run in &series.runs {
        for blow in run.killed.iter().flat_map(|killed| &killed.blows) {
            table.add_row([
                run.instances.to_string(),
                blow.victim.clone(),
                blow.back
                    .map_or("never".to_owned(), |back| format!("{back:.2}")),
                format!("{:.2}", blow.standstill),
            ]);
        }
    }
    right(&mut table, 2..4)
}

fn violations(series: &Series) -> Vec<String> {
    let told = series.runs.iter().flat_map(|run| {
        let instances = run.instances;
        run.violations
            .iter()
            .map(move |what| format!("{instances} of each: {what}"))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(messages: f64) -> Work {
        Work {
            messages,
            ..Work::default()
        }
    }

    #[test]
    fn equals_are_told_side_by_side_those_too_that_did_nothing() {
        let work = BTreeMap::from([
            ("order-view".to_owned(), messages(510.0)),
            ("order-view-1".to_owned(), messages(0.0)),
            ("order-service".to_owned(), messages(7.0)),
        ]);
        assert_eq!(share(&work, "order-view", |work| work.messages), "510 + 0");
        assert_eq!(share(&work, "order-service", |work| work.messages), "7");
        assert_eq!(share(&work, "order-view", |work| work.rows), "");
    }

    #[test]
    fn runs_are_told_beside_each_other() {
        let run = |instances: usize| Measured {
            instances,
            work: BTreeMap::from([("order-view".to_owned(), messages(9.0))]),
            violations: vec!["a cold soup".to_owned()],
            ..Measured::default()
        };
        let told = markdown(&Series {
            runs: vec![run(1), run(2)],
        });
        assert!(
            told.contains("| order-view | messages handled | 9 | 9 |"),
            "{told}"
        );
        assert!(
            told.contains("- VIOLATION 2 of each: a cold soup"),
            "{told}"
        );
    }
}
