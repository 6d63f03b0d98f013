//! The matrix of faults: every conversation that the saga's definitions declare, and everything that can go wrong with it.
//! Derived from all definitions that order-service knows, so that a new step has its tests already, and a former version
//! keeps them for as long as orders are under way on it.

use std::fmt;

use contracts::{Code, OrderState};
use gateway_simulator::domain::Behaviour;
use order_service::{domain::Order, messages::definitions};
use saga::{Ask, Definition, Step};

use crate::{
    judge::End,
    plan::{Fault, Plan, Scripted, Story, When},
};

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// It does its step.
    Do,
    /// It undoes its step, because a later one was refused.
    Undo,
    /// It undoes its step, because the saga is cancelled.
    Cancel,
    /// It asks whether the saga may be cancelled.
    Arbitrate,
}

/// What goes wrong in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The answer is no.
    Refused,
    /// Something happens on the way.
    Struck(Fault),
}

/// One cell: a conversation, and what goes wrong with it.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The version of the definition.
    pub version: u32,
    /// The step.
    pub step: String,
    /// What its command is for.
    pub purpose: For,
    /// What goes wrong.
    pub trouble: Trouble,
    /// The run; its seed may be changed.
    pub plan: Plan,
    /// Which of the scripted faults is the one that is tried; none where it is a refusal.
    pub scripted: Option<usize>,
    /// Whether the step is behind the pivot.
    pub is_behind_pivot: bool,
    /// Whether the step is the pivot.
    pub is_pivot: bool,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            step,
            purpose,
            trouble,
            ..
        } = self;
        write!(f, "version {version}, {step} ({purpose:?}): ")?;
        match trouble {
            Trouble::Refused => write!(f, "Refused"),
            Trouble::Struck(fault) => write!(f, "{fault:?}"),
        }
    }
}

const FAULTS: [Fault; 6] = [
    Fault::ReplyLost,
    Fault::Duplicated,
    Fault::Late,
    Fault::Silent,
    Fault::CrashBeforeCommit,
    Fault::CrashAfterCommit,
];

/// All cells of all definitions that orders may be under way on.
///
/// # Errors
/// A definition is not valid.
pub fn cells() -> anyhow::Result<Vec<Cell>> {
    let definitions = definitions(Plan::calm(0, Vec::new()).patience)?;
    Ok(definitions.all().flat_map(cells_of).collect())
}

fn cells_of(definition: &Definition<Order>) -> Vec<Cell> {
    let story = Story {
        version: definition.version(),
        ..Story::default()
    };
    let plan = Plan::calm(0, vec![story]);
    let mut cells = Vec::new();
    for (position, step) in definition.steps().iter().enumerate() {
        let mut add = |purpose, ask: &Ask<Order>, plan: Plan| {
            for fault in FAULTS {
                let mut plan = plan.clone();
                plan.scripted.push(scripted(ask, fault));
                cells.push(Cell {
                    scripted: Some(plan.scripted.len() - 1),
                    ..cell(definition, position, purpose, Trouble::Struck(fault), plan)
                });
            }
        };
        if let Some(ask) = step.asks() {
            add(For::Do, ask, plan.clone());
        }
        if let Some(undo) = step.undo() {
            add(For::Undo, undo, going_back(definition, position, &plan));
        }
        if definition.cancellation().is_some()
            && let Some(undo) = step.undo_when(true)
        {
            let next = definition.steps().get(position + 1).map(Step::name);
            add(
                For::Cancel,
                undo,
                cancelled_at(next.unwrap_or_default(), &plan),
            );
        }
        if step
            .asks()
            .is_some_and(|ask| ask.refused().next().is_some())
        {
            let plan = refused_at(step, &plan);
            cells.push(cell(definition, position, For::Do, Trouble::Refused, plan));
        }
    }
    arbitration(definition, &plan, &mut cells);
    cells
}

fn arbitration(definition: &Definition<Order>, plan: &Plan, cells: &mut Vec<Cell>) {
    let arbiter = definition.cancellation().and_then(|it| it.arbiter());
    let Some(arbiter) = arbiter else { return };
    let decider = definition
        .steps()
        .iter()
        .position(|step| step.name() == arbiter.from());
    let position = decider.unwrap_or_default();
    // The order is at the step behind the arbiter's, which has been told by then.
    let told = definition
        .steps()
        .get(position + 1)
        .map(Step::name)
        .unwrap_or_default();
    for fault in FAULTS {
        let mut plan = cancelled_at(told, plan);
        plan.scripted.push(scripted(arbiter.ask(), fault));
        cells.push(Cell {
            scripted: Some(0),
            ..cell(
                definition,
                position,
                For::Arbitrate,
                Trouble::Struck(fault),
                plan,
            )
        });
    }
}

fn cell(
    definition: &Definition<Order>,
    position: usize,
    purpose: For,
    trouble: Trouble,
    plan: Plan,
) -> Cell {
    let steps = definition.steps();
    Cell {
        version: definition.version(),
        step: steps[position].name().to_owned(),
        purpose,
        trouble,
        plan,
        scripted: None,
        is_behind_pivot: steps[..position].iter().any(Step::is_pivot),
        is_pivot: steps[position].is_pivot(),
    }
}

fn scripted(ask: &Ask<Order>, fault: Fault) -> Scripted {
    Scripted {
        topic: ask.command().to().to_owned(),
        kind: ask.command().kind().to_owned(),
        fault,
    }
}

/// A run in which the step is undone: a later one is refused, or the pivot itself stays without an answer.
fn going_back(definition: &Definition<Order>, position: usize, plan: &Plan) -> Plan {
    let later = definition.steps()[position + 1..].iter();
    let refusable = |step: &&Step<Order>| {
        step.asks()
            .is_some_and(|ask| ask.refused().next().is_some())
    };
    if let Some(step) = later.clone().find(refusable) {
        return refused_at(step, plan);
    }
    let mut plan = plan.clone();
    let asks = definition.steps()[position].asks();
    plan.scripted
        .extend(asks.map(|ask| scripted(ask, Fault::Silent)));
    plan
}

/// A run in which the answer to the step is no.
fn refused_at(step: &Step<Order>, plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    let story = &mut plan.stories[0];
    match step.asks().map(|ask| ask.command().to()) {
        Some("order-customer") => story.customer_is_active = false,
        Some("order-ticket") => story.dish_is_available = false,
        _ => story.card = Behaviour::Declines,
    }
    plan
}

fn cancelled_at(step: &str, plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    let story = &mut plan.stories[0];
    story.cancels = vec![When::AtStep(step.to_owned(), 0)];
    // The kitchen has it, and is not done before everything has been tried.
    story.hands = (600_000, 600_000);
    plan
}

impl Cell {
    /// Whether an order may end like this, after what went wrong.
    ///
    /// # Errors
    /// It may not, and why.
    pub fn explains(&self, end: &End) -> Result<(), String> {
        let asked_again = matches!(
            self.trouble,
            Trouble::Struck(Fault::ReplyLost | Fault::Late | Fault::Silent)
        );
        let silent = self.trouble == Trouble::Struck(Fault::Silent);
        let gives_up = silent && self.purpose == For::Do && !self.is_behind_pivot;
        let expected = match (self.purpose, self.trouble) {
            (For::Do, Trouble::Refused) | (For::Undo, _) => OrderState::Rejected,
            (For::Do, Trouble::Struck(_)) if gives_up => OrderState::Rejected,
            (For::Do, Trouble::Struck(_)) => OrderState::Complete,
            (For::Cancel | For::Arbitrate, _) => OrderState::Cancelled,
        };
        let no_answer = end.rejected_for == Some(Code::NO_ANSWER);
        let stuck = silent && !gives_up;
        let rules = [
            (end.state == expected, "it ends elsewhere"),
            (!asked_again || end.asked_again, "nobody was asked again"),
            (!gives_up || no_answer, "it says another reason"),
            (!stuck || end.was_stuck, "it was not shown as stuck"),
            (stuck || !end.was_stuck, "it was stuck"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(format!("{self}: {what}: {end:?}, expected {expected:?}")),
            None => Ok(()),
        }
    }
}
