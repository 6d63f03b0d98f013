//! What people read at the end: the table, then latencies, then what each process has cost.

use std::collections::BTreeSet;

use comfy_table::{CellAlignment, Table, presets};
use visitor::console::say;

use crate::calibrate::Calibration;
use crate::quantiles::Quantiles;
use crate::results::Results;
use crate::rows::Row;

/// Prints everything.
pub(crate) fn print(results: &Results, verbose: bool) {
    for line in limits(results) {
        say(line);
    }
    say(table(&results.table));
    for line in &results.shortened {
        say(format_args!("shorter than asked for: {line}"));
    }
    for doubt in &results.doubts {
        say(format_args!("DOUBTFUL  {doubt}"));
    }
    say(latencies(results));
    say(offered(results));
    if let Some(costs) = costs(results) {
        say(costs);
    }
    if let Some(toolkit) = toolkit(results) {
        say(toolkit);
    }
    if verbose {
        frequent(results);
    }
    for violation in &results.violations {
        say(format_args!("VIOLATION  {violation}"));
    }
}

/// The same as Markdown, for a page of the documentation.
pub(crate) fn markdown(results: &Results) -> String {
    let mut parts = vec![format!(
        "Measured {} on {} processors.",
        results.at, results.processors
    )];
    // They come first: whatever follows does not count.
    let violations = results.violations.iter();
    parts.extend(violations.map(|violation| format!("**VIOLATION**: {violation}")));
    parts.extend([
        limits(results).join("\n"),
        table(&results.table).to_string(),
    ]);
    let shortened = results.shortened.join("; ");
    if !shortened.is_empty() {
        parts.push(format!("Shorter than asked for: {shortened}."));
    }
    if !results.doubts.is_empty() {
        parts.push(format!("Doubtful: {}.", results.doubts.join("; ")));
    }
    parts.push(latencies(results).to_string());
    parts.push(offered(results).to_string());
    parts.extend(costs(results).map(|table| table.to_string()));
    parts.extend(toolkit(results).map(|table| table.to_string()));
    parts.join("\n\n") + "\n"
}

/// What the machine can do, at first and at last.
fn limits(results: &Results) -> Vec<String> {
    let first = results.calibration.iter().flat_map(calibrated);
    let last = results.calibration_after.iter().flat_map(calibrated);
    let told = first.map(|line| format!("at first: {line}"));
    told.chain(last.map(|line| format!("at last:  {line}")))
        .collect()
}

fn calibrated(limits: &Calibration) -> Vec<String> {
    let disk = format!(
        "F {:.3} ms (fsync alone {:.3}), C1 {:.0}/s, C16 {:.0}/s",
        limits.f(),
        limits.fsync.p50,
        limits.commits_of_1,
        limits.commits_of_16
    );
    let alone = limits.kafka.iter().map(|alone| {
        format!(
            "Kafka alone at {}/s: K {:.2} ms, K99 {:.2} ms",
            alone.per_second, alone.times.p50, alone.times.p99
        )
    });
    std::iter::once(disk).chain(alone).collect()
}

/// What was offered in each run, and what came of it.
fn offered(results: &Results) -> Table {
    let mut table = fresh(&[
        "run",
        "offered/s",
        "completed/s",
        "arrived",
        "taken",
        "429, 503",
        "failed",
        "given up",
        "too early",
        "refused",
        "lost",
        "backlog at most",
        "drained in",
    ]);
    for (name, run) in results.runs() {
        let told = &run.offered;
        table.add_row([
            name.to_owned(),
            format!("{:.1}", told.arrivals as f64 / run.length as f64),
            format!("{:.1}", run.completed),
            told.arrivals.to_string(),
            told.taken().to_string(),
            told.shed().to_string(),
            told.failed().to_string(),
            told.given_up.to_string(),
            told.early.to_string(),
            told.refused.to_string(),
            (told.unreached + told.broken).to_string(),
            run.deepest.unwrap_or_default().to_string(),
            format!("{:.1} s", run.drained),
        ]);
    }
    right(&mut table, 1..13)
}

/// What the toolkit does alone.
fn toolkit(results: &Results) -> Option<Table> {
    let toolkit = results.toolkit.as_ref()?;
    let (relay, outbox, pure) = (&toolkit.relay, &toolkit.outbox, &toolkit.pure);
    let mut table = fresh(&["toolkit", "value"]);
    let mut add = |name: &str, value: String| {
        table.add_row([name.to_owned(), value]);
    };
    add(
        "paged read of the outbox",
        format!(
            "{:.0} rows/s before, {:.0} after",
            relay.before.paged_read, relay.after.paged_read
        ),
    );
    add(
        "producer alone",
        format!(
            "{:.0} records/s before, {:.0} after",
            relay.before.producer, relay.after.producer
        ),
    );
    add(
        "relay: drain",
        format!(
            "{:.0} rows/s, {:.2} CPU s, {:.1} MiB",
            relay.drain, relay.drain_cpu, relay.drain_memory
        ),
    );
    for rate in &relay.rates {
        add(
            &format!("relay: commit to consumer at {}/s", rate.per_second),
            format!(
                "p50 {:.2} ms, p99 {:.2} ms; its commit alone {:.2} and {:.2} ms; {:.1} % of a core, {:.1} MiB",
                rate.times.p50,
                rate.times.p99,
                rate.commits.p50,
                rate.commits.p99,
                rate.cpu,
                rate.memory
            ),
        );
    }
    add(
        "relay: drain of seven databases at once",
        format!(
            "{:.0} rows/s, {:.1} MiB",
            relay.several, relay.several_memory
        ),
    );
    add(
        "batched consumer",
        format!("{:.0} messages/s", toolkit.consumer),
    );
    add(
        "outbox: a transaction of one row",
        format!("p50 {:.3} ms", outbox.alone.p50),
    );
    add(
        "outbox: transactions of 500",
        format!("{:.0} rows/s", outbox.batched),
    );
    add("saga: a step, pure", format!("{:.2} µs", pure.saga_step));
    add(
        "view: a message read and folded, pure",
        format!("{:.2} µs", pure.view_fold),
    );
    Some(right(&mut table, 1..2))
}

/// The table of verdicts.
pub(crate) fn table(rows: &[Row]) -> Table {
    let mut table = fresh(&["measure", "value", "ratio", "must", "aim", "verdict"]);
    for row in rows {
        let ratio = row
            .ratio
            .map_or(String::new(), |ratio| number(ratio, row.unit));
        let bound = |value: f64| number(value, row.unit);
        let (must, aim) = match &row.bounds {
            Some(bounds) => (bound(bounds.must), bound(bounds.aim)),
            None => (row.unit.to_owned(), String::new()),
        };
        table.add_row([
            row.measure.to_owned(),
            row.value.clone(),
            ratio,
            must,
            aim,
            row.verdict.words().to_owned(),
        ]);
    }
    right(&mut table, 2..5)
}

/// Latencies in milliseconds.
pub(crate) fn latencies(results: &Results) -> Table {
    let mut table = fresh(&["milliseconds", "count", "p50", "p90", "p99", "p99.9", "max"]);
    let mut add = |name: String, times: &Quantiles| {
        let Quantiles {
            count,
            p50,
            p90,
            p99,
            p999,
            max,
        } = *times;
        let mut cells = vec![name, count.to_string()];
        cells.extend([p50, p90, p99, p999, max].map(|value| format!("{value:.2}")));
        table.add_row(cells);
    };
    if let Some(alone) = &results.unloaded {
        add("unloaded: POST /orders".to_owned(), &alone.post);
        add(
            "unloaded: POST → PREPARING in the view".to_owned(),
            &alone.preparing,
        );
    }
    for (name, run) in results.runs() {
        add(format!("{name}: POST /orders"), &run.offered.post);
        add(
            format!("{name}: POST → PREPARING in the view"),
            &run.offered.view,
        );
        add(format!("{name}: an action"), &run.offered.act);
        add(
            format!("{name}: the generator's own lateness"),
            &run.offered.late,
        );
        if let Some(hops) = &run.hops {
            add(format!("{name}: all hops"), &hops.all);
        }
    }
    let calm = results.calm.as_ref().map(|run| ("30 %", run));
    let calm = calm.or_else(|| results.top.as_ref().map(|top| ("top", &top.run)));
    if let Some((name, run)) = calm {
        for (kind, times) in run.hops.iter().flat_map(|hops| &hops.kinds) {
            add(format!("{name}: to {kind}"), times);
        }
    }
    right(&mut table, 1..7)
}

/// What each process has cost at the top.
pub(crate) fn costs(results: &Results) -> Option<Table> {
    let run = &results.top.as_ref()?.run;
    let mut table = fresh(&[
        match results.unheld() {
            None => "at the top, per process",
            Some(_) => "at the top, which was not held, per process",
        },
        "CPU s per 1,000",
        "% of a core",
        "MiB",
        "MiB idle",
    ]);
    let names: BTreeSet<&String> = run.bill.cpu.keys().chain(run.memory.keys()).collect();
    for name in names {
        let cpu = run.bill.cpu.get(name).copied().unwrap_or_default();
        let idle = results.idle.as_ref().and_then(|idle| idle.memory.get(name));
        table.add_row([
            name.clone(),
            format!("{:.2}", run.each(cpu) * 1e3),
            format!("{:.1}", cpu / run.bill.seconds * 100.0),
            format!("{:.1}", run.memory.get(name).copied().unwrap_or_default()),
            idle.map_or(String::new(), |memory| format!("{memory:.1}")),
        ]);
    }
    for (database, cpu) in &run.bill.backends {
        let each = run.each(*cpu) * 1e3;
        if each >= 0.005 {
            let percent = cpu / run.bill.seconds * 100.0;
            table.add_row([
                format!("postgres for {database}"),
                format!("{each:.2}"),
                format!("{percent:.1}"),
            ]);
        }
    }
    for (sender, calls) in &run.bill.statements {
        let each = format!("{:.1}", run.each(*calls as f64));
        table.add_row([format!("SQL per order: {sender}"), each]);
    }
    for (database, commits) in &run.bill.commits {
        let each = run.each(*commits as f64);
        if each >= 0.05 {
            table.add_row([
                format!("transactions per order: {database}"),
                format!("{each:.1}"),
            ]);
        }
    }
    let records = run.each(run.bill.records as f64);
    table.add_row(["messages per order".to_owned(), format!("{records:.1}")]);
    Some(right(&mut table, 1..5))
}

fn frequent(results: &Results) {
    let Some(top) = &results.top else { return };
    say("most frequent statements at the top, per completed order:");
    for one in &top.run.bill.frequent {
        let sql: String = one.sql.chars().take(150).collect();
        say(format_args!(
            "{:7.2}  {:12} {:12} {sql}",
            top.run.each(one.calls as f64),
            one.database,
            one.role
        ));
    }
}

fn number(value: f64, unit: &str) -> String {
    let digits = if value.abs() < 0.1 { 4 } else { 2 };
    let text = format!("{value:.digits$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} {unit}").trim_end().to_owned()
}

/// A table without rows.
pub(crate) fn fresh(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::ASCII_MARKDOWN)
        .set_header(header.iter().copied());
    table
}

/// The table with these columns on their right side.
pub(crate) fn right(table: &mut Table, columns: std::ops::Range<usize>) -> Table {
    for column in table
        .column_iter_mut()
        .skip(columns.start)
        .take(columns.len())
    {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_needless_digits_and_their_unit() {
        assert_eq!(number(24.0, "MiB"), "24 MiB");
        assert_eq!(number(0.019, ""), "0.019");
        assert_eq!(number(2.5, "(F + K)"), "2.5 (F + K)");
        assert_eq!(number(123.456, ""), "123.46");
    }
}
