//! The picture of a definition.

use std::fmt::Write;

use crate::{Action, Cancellation, Definition, Step};

impl<D> Definition<D> {
    /// The definition as a Mermaid flowchart: the way forward from top to bottom, the way back beside it.
    #[must_use]
    pub fn mermaid(&self) -> String {
        let mut chart = String::from("flowchart TD\n");
        for (position, step) in self.steps.iter().enumerate() {
            self.node(&mut chart, position, step);
            self.edges(&mut chart, position, step);
        }
        if let Some(cancellation) = &self.cancellation {
            self.cancellation_picture(&mut chart, cancellation);
        }
        line(&mut chart, "completed([completed])");
        if chart.contains("rolled_back") {
            line(&mut chart, "rolled_back([rolled back])");
        }
        chart
    }

    fn node(&self, chart: &mut String, position: usize, step: &Step<D>) {
        let name = &step.name;
        match &step.action {
            Action::Wait(event) => {
                line(
                    chart,
                    &format!("s{position}[/\"{name}<br/>waits for {}\"/]", event.kind),
                );
            }
            Action::Ask(ask) => {
                let (open, close) = if step.pivot { ("{{", "}}") } else { ("[", "]") };
                let (kind, to) = (&ask.command.kind, &ask.command.to);
                line(
                    chart,
                    &format!("s{position}{open}\"{name}<br/>{kind} → {to}\"{close}"),
                );
            }
        }
        if let Some(undo) = &step.undo {
            let (kind, to) = (&undo.command.kind, &undo.command.to);
            line(
                chart,
                &format!("u{position}[\"undo {name}<br/>{kind} → {to}\"]"),
            );
        }
    }

    fn edges(&self, chart: &mut String, position: usize, step: &Step<D>) {
        let next = match position + 1 {
            end if end == self.steps.len() => "completed".to_owned(),
            next => format!("s{next}"),
        };
        let back = self.back_from(position);
        match &step.action {
            Action::Wait(event) => line(chart, &format!("s{position} -->|{}| {next}", event.kind)),
            Action::Ask(ask) => {
                let granted = joined(ask.accepted());
                line(chart, &format!("s{position} -->|{granted}| {next}"));
                for kind in ask.refused() {
                    line(chart, &format!("s{position} -.->|{kind}| {back}"));
                }
                if self.pivot().is_none_or(|pivot| position <= pivot) {
                    let back = self.back_from(position + 1);
                    line(chart, &format!("s{position} -.->|silent| {back}"));
                }
            }
        }
        if let Some(undo) = &step.undo {
            let undone = joined(undo.accepted());
            line(chart, &format!("u{position} -.->|{undone}| {back}"));
        }
    }

    /// From where a cancellation leads to whom, and what it undoes.
    fn cancellation_picture(&self, chart: &mut String, cancellation: &Cancellation<D>) {
        let from = cancellation.arbiter.as_ref().map(|arbiter| &arbiter.from);
        let from = from.and_then(|from| self.position(from));
        let last = self.position(&cancellation.until).unwrap_or_default();
        for position in 0..=last {
            let told = from.is_some_and(|from| position >= from);
            let to = match told {
                true => "arbiter".to_owned(),
                false => self.cancelled_from(position + 1),
            };
            line(chart, &format!("s{position} -.->|cancel| {to}"));
        }
        if let Some(arbiter) = &cancellation.arbiter {
            let (kind, to) = (&arbiter.ask.command.kind, &arbiter.ask.command.to);
            line(
                chart,
                &format!("arbiter{{\"too late?<br/>{kind} → {to}\"}}"),
            );
            let granted = joined(arbiter.ask.accepted());
            let back = self.cancelled_from(last + 1);
            line(chart, &format!("arbiter -.->|{granted}| {back}"));
            let refused = joined(arbiter.ask.refused());
            line(
                chart,
                &format!("arbiter -->|{refused}| on([goes on where it was])"),
            );
        }
        for (position, step) in self.steps.iter().enumerate() {
            if let Some(undo) = step.undo_when(true) {
                let (name, kind, to) = (&step.name, &undo.command.kind, &undo.command.to);
                line(
                    chart,
                    &format!("c{position}[\"cancel {name}<br/>{kind} → {to}\"]"),
                );
                let back = self.cancelled_from(position);
                line(
                    chart,
                    &format!("c{position} -.->|{}| {back}", joined(undo.accepted())),
                );
            }
        }
        line(chart, "cancelled([cancelled])");
    }

    /// Where a cancellation leads from a step: to the undo of the last step before it that has one.
    fn cancelled_from(&self, position: usize) -> String {
        let undone = self.steps[..position]
            .iter()
            .rposition(|step| step.undo_when(true).is_some());
        undone.map_or_else(|| "cancelled".to_owned(), |undone| format!("c{undone}"))
    }

    /// Where the way back leads from a step: to the undo of the last step before it that has one.
    fn back_from(&self, position: usize) -> String {
        let undone = self.steps[..position]
            .iter()
            .rposition(|step| step.undo.is_some());
        undone.map_or_else(|| "rolled_back".to_owned(), |undone| format!("u{undone}"))
    }
}

fn joined<'a>(kinds: impl Iterator<Item = &'a str>) -> String {
    kinds.collect::<Vec<_>>().join(", ")
}

fn line(chart: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(chart, "    {line}");
}
