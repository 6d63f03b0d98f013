//! The table that everything comes down to: what was measured, as a ratio to what the machine can do, and what it must be.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::calibrate::Calibration;
use crate::costs::processes::{GATEWAY, KAFKA, POSTGRES, SUPERVISOR, is_service};
use crate::million::Million;
use crate::plan::Part;
use crate::quantiles::Quantiles;
use crate::results::Results;
use crate::run::Run;
use crate::shortfall::shortfall;
use crate::site;
use crate::top;
use crate::verdict::{Bounds, Verdict};

/// One measure.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row {
    /// Where it is measured.
    pub(crate) part: Part,
    /// What is measured.
    pub(crate) measure: &'static str,
    /// What was measured, for people.
    pub(crate) value: String,
    /// What is compared with the bounds.
    pub(crate) ratio: Option<f64>,
    /// What it is a ratio of, or its unit.
    pub(crate) unit: &'static str,
    /// None where there is no number to reach.
    pub(crate) bounds: Option<Bounds>,
    /// How far it came.
    pub(crate) verdict: Verdict,
}

impl Row {
    /// The row of something that does not count for this reason, if there is one: missed, whatever was measured.
    fn unless(mut self, wrong: Option<String>) -> Self {
        if let Some(wrong) = wrong
            && self.verdict != Verdict::NotRun
        {
            self.value = format!("{}; {wrong}", self.value);
            self.verdict = Verdict::Missed;
        }
        self
    }
}

/// A value for people and the number that is compared.
type Found = Option<(String, f64)>;

/// All rows, those too that were not run. What was to be run, and was not since the run broke off before or in it, is missed.
pub(crate) fn rows(results: &Results) -> Vec<Row> {
    let mut rows = measured(results);
    let missing =
        |row: &&mut Row| row.verdict == Verdict::NotRun && results.broken_off.contains(&row.part);
    for row in rows.iter_mut().filter(missing) {
        row.value = "the run broke off".to_owned();
        row.verdict = Verdict::Missed;
    }
    rows
}

fn measured(results: &Results) -> Vec<Row> {
    let high = Bounds::at_least;
    let low = Bounds::at_most;
    let top = results.top.as_ref().map(|top| &top.run);
    let unheld = || results.unheld();
    vec![
        row(
            Part::Toolkit,
            "relay drain ÷ min(plain paged read, producer ceiling)",
            "",
            high(0.4, 0.5),
            drain(results),
        ),
        row(
            Part::Toolkit,
            "relay, commit to consumer at 500/s and 2,000/s, p50",
            "(F + K)",
            low(5.0, 2.0),
            relay_p50(results),
        ),
        row(
            Part::Toolkit,
            "the same, p99, above K99",
            "F",
            low(10.0, 3.0),
            relay_p99(results),
        ),
        row(
            Part::Toolkit,
            "relay memory at 2,000/s and in the drain (RSS)",
            "MiB",
            low(24.0, 15.0),
            relay_memory(results),
        ),
        row(
            Part::Toolkit,
            "batched consumer, messages/s ÷ C1",
            "",
            high(6.0, 12.0),
            consumer(results),
        ),
        row(
            Part::Unloaded,
            "POST → PREPARING in the view, p50, unloaded, less the gateway's time",
            "(F + K)",
            low(45.0, 25.0),
            preparing(results),
        ),
        row(
            Part::Calm,
            "hop p50 at 30 % of the top load",
            "(F + K)",
            low(5.0, 2.5),
            hop(results, false),
        ),
        row(
            Part::Calm,
            "hop p99 at that load",
            "K99",
            low(3.0, 1.5),
            hop(results, true),
        ),
        row(
            Part::Top,
            "completed lifecycles/s ÷ C16",
            "",
            high(0.019, 0.035),
            lifecycles(results),
        )
        .unless(unheld()),
        row(
            Part::Top,
            "CPU seconds per 1,000 lifecycles at top load",
            "s",
            low(5.0, 2.5),
            top.map(cpu),
        )
        .unless(unheld()),
        row(
            Part::Top,
            "SQL statements per completed order at top load",
            "",
            low(40.0, 20.0),
            top.map(statements),
        )
        .unless(unheld()),
        row(
            Part::Top,
            "commits per completed order at top load",
            "",
            low(10.0, 6.0),
            top.map(commits),
        )
        .unless(unheld()),
        row(
            Part::Top,
            "WAL per completed order",
            "KiB",
            low(40.0, 20.0),
            top.map(wal),
        )
        .unless(unheld()),
        row(
            Part::Top,
            "memory of each service under load (RSS)",
            "MiB",
            low(24.0, 12.0),
            memory(results),
        ),
        row(
            Part::Idle,
            "memory of each service idle",
            "MiB",
            low(16.0, 8.0),
            idle_memory(results),
        ),
        row(
            Part::Idle,
            "CPU of the idle platform without Postgres and Kafka",
            "% of a core",
            low(4.0, 1.0),
            idle_cpu(results),
        ),
        overload(results).unless(unheld()),
        row(
            Part::Million,
            "throughput with a million finished orders ÷ with none",
            "",
            high(0.9, 0.98),
            million(results),
        )
        .unless(unheld())
        .unless(results.million.as_ref().and_then(at_the_top)),
        backlog(results),
    ]
}

fn row(part: Part, measure: &'static str, unit: &'static str, bounds: Bounds, found: Found) -> Row {
    let (value, ratio) = found.map_or((String::new(), None), |(value, ratio)| (value, Some(ratio)));
    Row {
        part,
        measure,
        value,
        ratio,
        unit,
        bounds: Some(bounds),
        verdict: bounds.judge(ratio),
    }
}

fn drain(results: &Results) -> Found {
    let relay = &results.toolkit.as_ref()?.relay;
    let ceilings = relay.ceilings;
    let value = format!(
        "{:.0}/s; read {:.0}/s, producer {:.0}/s",
        relay.drain, ceilings.paged_read, ceilings.producer
    );
    Some((value, relay.drain / ceilings.lowest()))
}

/// What is worst of the rates at which the relay was timed, as a ratio; all of them as a value.
fn relay_times(
    results: &Results,
    tell: fn(&Quantiles) -> f64,
    ratio: impl Fn(&Calibration, f64, &Quantiles) -> f64,
) -> Found {
    let limits = results.limits()?;
    let rates = &results.toolkit.as_ref()?.relay.rates;
    let values: Vec<String> = rates
        .iter()
        .map(|rate| format!("{:.2}", tell(&rate.times)))
        .collect();
    let ratios = rates
        .iter()
        .map(|rate| ratio(&limits, f64::from(rate.per_second), &rate.times));
    Some((
        format!("{} ms", values.join(" and ")),
        ratios.reduce(f64::max)?,
    ))
}

fn relay_p50(results: &Results) -> Found {
    let ratio = |limits: &Calibration, rate, times: &Quantiles| times.p50 / limits.f_and_k(rate);
    relay_times(results, |times| times.p50, ratio)
}

fn relay_p99(results: &Results) -> Found {
    let ratio = |limits: &Calibration, rate, times: &Quantiles| {
        (times.p99 - limits.kafka_at(rate).p99) / limits.f()
    };
    relay_times(results, |times| times.p99, ratio)
}

fn relay_memory(results: &Results) -> Found {
    let relay = &results.toolkit.as_ref()?.relay;
    let fast = relay.rates.last()?.memory;
    let (drain, several) = (relay.drain_memory, relay.several_memory);
    let value = format!("{fast:.1} MiB, in the drain {drain:.1}, in that of seven {several:.1}");
    Some((value, fast.max(drain).max(several)))
}

fn consumer(results: &Results) -> Found {
    let (limits, toolkit) = (results.limits()?, results.toolkit.as_ref()?);
    let rate = toolkit.consumer;
    Some((format!("{rate:.0}/s"), rate / limits.commits_of_1))
}

fn preparing(results: &Results) -> Found {
    let (limits, alone) = (results.limits()?, results.unloaded.as_ref()?);
    let (less, which) = alone.gateway.own();
    let own = alone.preparing.p50 - less;
    let value = format!(
        "{own:.1} ms ({:.1} less {less:.1}, the gateway's {which})",
        alone.preparing.p50
    );
    Some((value, own / limits.f_and_k(0.0)))
}

/// All messages of the platform per second, at so many lifecycles per second: the rate at which Kafka alone is compared.
fn messages(run: &Run) -> f64 {
    run.bill.records as f64 / run.bill.seconds.max(1e-9)
}

fn hop(results: &Results, tail: bool) -> Found {
    let (limits, run) = (results.limits()?, results.calm.as_ref()?);
    let (hops, rate) = (run.hops.as_ref()?.all, messages(run));
    Some(match tail {
        false => (
            format!("{:.2} ms", hops.p50),
            hops.p50 / limits.f_and_k(rate),
        ),
        true => (
            format!("{:.2} ms", hops.p99),
            hops.p99 / limits.kafka_at(rate).p99,
        ),
    })
}

fn lifecycles(results: &Results) -> Found {
    let (limits, top) = (results.limits()?, results.top_rate()?);
    Some((format!("{top:.0}/s"), top / limits.commits_of_16))
}

/// CPU seconds of everything but generator and gateway (with what the database does for it), for 1,000 lifecycles.
pub(crate) fn cpu(run: &Run) -> (String, f64) {
    let counts = |name: &str| is_service(name) || [POSTGRES, KAFKA, SUPERVISOR].contains(&name);
    let all: f64 = run
        .bill
        .cpu
        .iter()
        .filter(|(name, _)| counts(name))
        .map(|(_, cpu)| cpu)
        .sum();
    let gateway = run.bill.backends.get(site::GATEWAY).unwrap_or(&0.0);
    let each = run.each(all - gateway) * 1e3;
    (format!("{each:.2} s"), each)
}

fn statements(run: &Run) -> (String, f64) {
    let each = run.each(run.bill.statements.values().sum::<i64>() as f64);
    (format!("{each:.1}"), each)
}

fn commits(run: &Run) -> (String, f64) {
    let each = run.each(run.bill.writes as f64);
    (format!("{each:.1}"), each)
}

fn wal(run: &Run) -> (String, f64) {
    let each = run.each(run.bill.wal as f64) / 1024.0;
    (format!("{each:.1} KiB"), each)
}

/// The largest service under any load, in looking for the top too.
fn memory(results: &Results) -> Found {
    let steps = results.top.iter().flat_map(|top| &top.steps);
    let steps = steps.map(|step| ("looking for the top", &step.memory));
    let runs = results.runs();
    let runs = runs.into_iter().map(|(name, run)| (name, &run.memory));
    let largest = steps
        .chain(runs)
        .filter_map(|(part, memory)| Some((part, largest(memory)?)))
        .max_by(|(_, one), (_, other)| one.1.total_cmp(other.1));
    let (part, (name, memory)) = largest?;
    Some((format!("{memory:.1} MiB ({name}, {part})"), *memory))
}

fn idle_memory(results: &Results) -> Found {
    let (name, memory) = largest(&results.idle.as_ref()?.memory)?;
    Some((format!("{memory:.1} MiB ({name})"), *memory))
}

/// The largest service.
fn largest(all: &BTreeMap<String, f64>) -> Option<(&String, &f64)> {
    let services = all
        .iter()
        .filter(|(name, _)| is_service(name) && *name != GATEWAY);
    services.max_by(|one, other| one.1.total_cmp(other.1))
}

fn idle_cpu(results: &Results) -> Found {
    let percent = results.idle.as_ref()?.platform();
    Some((format!("{percent:.2} %"), percent))
}

fn overload(results: &Results) -> Row {
    let found = results.overload.as_ref().zip(results.top_rate());
    let name = "2× overload: completed ÷ top, with 429 or 503 and bounded queues";
    let row = row(
        Part::Overload,
        name,
        "",
        Bounds::at_least(0.9, 0.97),
        found.map(|(run, top)| {
            let value = format!(
                "{:.0}/s; {} taken, {} shed, backlog {} at most; {} requests came before their order",
                run.completed,
                run.offered.taken(),
                run.offered.shed(),
                run.deepest.unwrap_or_default(),
                run.offered.early
            );
            (value, run.completed / top)
        }),
    );
    row.unless(found.and_then(|(run, _)| collapse(run)))
}

/// How a run failed to bear what was too much, in words: one turns away, and lets nobody down whom one has let in. To take everything
/// and to let it pile up is no way to bear it.
fn collapse(run: &Run) -> Option<String> {
    let (failed, given_up) = (run.offered.failed(), run.offered.given_up);
    let unseen = run.offered.unseen;
    let signs = [
        (run.offered.shed() == 0, "nobody was turned away".to_owned()),
        (run.piles_up(), "the backlog grows".to_owned()),
        (failed > 0, format!("{failed} failed")),
        (given_up > 0, format!("{given_up} given up")),
        (unseen > 0, format!("{unseen} never shown")),
    ];
    let signs = signs.into_iter().filter(|(shows, _)| *shows);
    let signs: Vec<String> = signs.map(|(_, sign)| sign).collect();
    (!signs.is_empty()).then(|| signs.join(", "))
}

/// Both a little above the top.
fn million(results: &Results) -> Found {
    let million = results.million.as_ref()?;
    let (with, without) = (million.with.completed, million.without.completed);
    let value = format!("{with:.0}/s with, {without:.0}/s without");
    Some((value, million.ratio()))
}

/// Why the top is not held any more with finished orders in the tables, in words.
fn at_the_top(million: &Million) -> Option<String> {
    let wrong = top::wrong(&million.top)?;
    Some(format!("at the top {wrong}"))
}

fn backlog(results: &Results) -> Row {
    let run = results.backlog.as_ref();
    Row {
        part: Part::Backlog,
        measure: "backlog with writers at 70 % of the top",
        value: run.map_or(String::new(), |run| {
            let trend = run.backlog;
            format!(
                "mean {:.0}, {:+.2} ± {:.2} per second; rows {:.0}, {:+.2}",
                trend.mean, trend.slope, trend.error, run.backlog_rows.mean, run.backlog_rows.slope
            )
        }),
        ratio: None,
        unit: "does not grow",
        bounds: None,
        verdict: match run {
            None => Verdict::NotRun,
            Some(run) if run.piles_up() => Verdict::Missed,
            Some(_) => Verdict::Aim,
        },
    }
    // What is not let in, or does not come out, piles up elsewhere.
    .unless(run.and_then(shortfall))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Offered;
    use crate::top::Top;

    fn found<'a>(rows: &'a [Row], measure: &str) -> &'a Row {
        let found = rows.iter().find(|row| row.measure.starts_with(measure));
        found.unwrap()
    }

    #[test]
    fn whatever_is_measured_at_a_top_that_was_not_held_is_missed_and_says_why() {
        let top = |wrong| Results {
            top: Some(Top {
                steps: Vec::new(),
                run: Run::default(),
                wrong,
            }),
            ..Results::default()
        };
        let held = rows(&top(None));
        assert_eq!(found(&held, "SQL statements").verdict, Verdict::Aim);
        let not = rows(&top(Some("3 failed".to_owned())));
        let row = found(&not, "SQL statements");
        assert_eq!(row.verdict, Verdict::Missed);
        assert_eq!(row.value, "0.0; the top was not held: 3 failed");
        assert_eq!(found(&not, "2× overload").verdict, Verdict::NotRun);
    }

    #[test]
    fn what_was_to_be_run_and_was_not_reached_is_missed() {
        let results = Results {
            broken_off: vec![Part::Overload, Part::Million, Part::Backlog],
            ..Results::default()
        };
        let rows = rows(&results);
        assert_eq!(found(&rows, "2× overload").verdict, Verdict::Missed);
        assert_eq!(found(&rows, "backlog").value, "the run broke off");
        assert_eq!(found(&rows, "relay drain").verdict, Verdict::NotRun);
    }

    #[test]
    fn an_overload_in_which_somebody_who_was_let_in_is_let_down_is_missed() {
        let run = |given_up, answers: &[(u16, u64)]| Run {
            offered: Offered {
                given_up,
                answers: answers.iter().copied().collect(),
                ..Offered::default()
            },
            ..Run::default()
        };
        assert_eq!(collapse(&run(0, &[(201, 9), (503, 9)])), None);
        let told = |run| collapse(&run).unwrap_or_default();
        assert_eq!(told(run(0, &[(201, 9)])), "nobody was turned away");
        let down = told(run(3, &[(201, 9), (500, 2), (503, 9)]));
        assert_eq!(down, "2 failed, 3 given up");
        let mut unseen = run(0, &[(201, 1_000), (503, 9)]);
        unseen.offered.unseen = 1;
        assert_eq!(told(unseen), "1 never shown");
    }

    #[test]
    fn a_backlog_of_rows_is_seen_among_many_more_records() {
        let grow = |slope| crate::trend::Trend {
            mean: 100.0,
            slope,
            error: 0.01,
            span: 1_000.0,
        };
        // A hundred a second are taken.
        let run = || Run {
            length: 60,
            offered: Offered {
                answers: [(201, 6_000), (503, 6_000)].into(),
                ..Offered::default()
            },
            ..Run::default()
        };
        let rows = |slope| Run {
            backlog_rows: grow(slope),
            ..run()
        };
        assert!(rows(1.0).piles_up() && !rows(0.5).piles_up());
        let calls = |slope| Run {
            backlog_calls: grow(slope),
            ..run()
        };
        assert!(calls(0.1).piles_up() && !calls(0.04).piles_up());
    }

    #[test]
    fn a_backlog_that_stays_small_because_orders_are_turned_away_is_missed() {
        let backlog = |answers: &[(u16, u64)]| {
            let run = Run {
                lifecycles: 99,
                expected: 100,
                offered: Offered {
                    answers: answers.iter().copied().collect(),
                    ..Offered::default()
                },
                ..Run::default()
            };
            let results = Results {
                backlog: Some(run),
                ..Results::default()
            };
            found(&rows(&results), "backlog").clone()
        };
        assert_eq!(backlog(&[(201, 99)]).verdict, Verdict::Aim);
        let row = backlog(&[(201, 99), (503, 40)]);
        assert_eq!(row.verdict, Verdict::Missed);
        assert!(row.value.ends_with("; 40 turned away"), "{}", row.value);
    }
}
