//! One turn of a saga: the moves that an input can lead to, on copies of the instance and its data.

use uuid::Uuid;

use super::{Heard, Moment};
use crate::{
    Action, Awaited, Definition, Effect, Fault, Instance, Ordered, Process, Purpose, Record, Rule,
    Say, Speech, State, Step, Verdict, What, definition::Change,
};

pub(super) struct Turn<'a, 'm, D> {
    pub(super) definition: &'a Definition<D>,
    pub(super) instance: Instance,
    pub(super) data: D,
    pub(super) moment: &'a mut Moment<'m>,
    pub(super) effects: Vec<Effect>,
    pub(super) records: Vec<Record>,
}

impl<'a, D: Process> Turn<'a, '_, D> {
    /// Where the instance stands in its definition.
    pub(super) fn position(&self) -> Result<usize, Fault> {
        self.definition
            .position(&self.instance.step)
            .ok_or_else(|| self.unknown_step())
    }

    pub(super) fn is_behind_the_pivot(&self, position: usize) -> bool {
        self.definition
            .pivot()
            .is_some_and(|pivot| position > pivot)
    }

    /// Whether the arbiter has been told of the saga when it stands at `position`: by the step that he answers for.
    pub(super) fn arbiter_knows_of(&self, position: usize) -> bool {
        self.arbiter_from().is_some_and(|from| position >= from)
    }

    /// Whether it is the arbiter whose word is awaited.
    pub(super) fn is_arbitrated(&self) -> bool {
        let awaited = self.instance.awaited.as_ref();
        awaited.is_some_and(|awaited| awaited.purpose == Purpose::Arbitrate)
    }

    fn arbiter_from(&self) -> Option<usize> {
        let arbiter = self.definition.cancellation.as_ref()?.arbiter.as_ref()?;
        self.definition.position(&arbiter.from)
    }

    /// Does the step at `position`, or completes the saga if there is none.
    pub(super) fn go_forward_to(&mut self, position: usize) -> Result<(), Fault> {
        let Some(step) = self.definition.steps.get(position) else {
            self.instance.state = State::Completed;
            self.note(What::Completed, None, 0);
            return Ok(());
        };
        self.instance.step.clone_from(&step.name);
        match &step.action {
            Action::Ask(ask) => self.send(&ask.command, Purpose::Do),
            Action::Wait(event) => self.wait_for(event, position),
        }
    }

    /// The step is done: the data changes, everybody is told, and the next one begins.
    pub(super) fn finish(&mut self, position: usize) -> Result<(), Fault> {
        let step = &self.definition.steps[position];
        self.change(&step.then)?;
        self.announce(&step.announce)?;
        match self.instance.memory.cancelling {
            true => self.cancel_before(position + 1),
            false => self.go_forward_to(position + 1),
        }
    }

    /// Goes back before the step at `position` is begun, if the arbiter, where he was told, allows it.
    pub(super) fn cancel_before(&mut self, position: usize) -> Result<(), Fault> {
        let told = self.arbiter_from().is_some_and(|from| position > from);
        let (Some(arbitration), true) = (self.definition.arbitration(), told) else {
            return self.go_back_before(position);
        };
        // The last step at which the saga may be cancelled was under way, and is done.
        let Some(step) = self
            .definition
            .steps
            .get(position)
            .filter(|_| self.may_be_cancelled_before(position))
        else {
            return self.carry_on_at(position);
        };
        self.instance.step.clone_from(&step.name);
        self.send(&arbitration.command, Purpose::Arbitrate)
    }

    fn may_be_cancelled_before(&self, position: usize) -> bool {
        let cancellation = self.definition.cancellation.as_ref();
        let last =
            cancellation.and_then(|cancellation| self.definition.position(&cancellation.until));
        last.is_some_and(|last| position <= last)
    }

    /// It is too late to cancel the saga: it goes on where it was, with the step at `position`.
    pub(super) fn carry_on_at(&mut self, position: usize) -> Result<(), Fault> {
        self.instance.memory.cancelling = false;
        if let Some(cancellation) = &self.definition.cancellation {
            self.change(&cancellation.released)?;
            self.announce(&cancellation.announce)?;
        }
        self.go_forward_to(position)
    }

    /// Goes back from a step that was refused: it is not undone itself.
    pub(super) fn go_back_before(&mut self, position: usize) -> Result<(), Fault> {
        self.go_back(&self.definition.steps[..position])
    }

    /// Goes back from a step that stayed silent: it may have been done, and is undone first.
    pub(super) fn go_back_with(&mut self, position: usize) -> Result<(), Fault> {
        self.go_back(&self.definition.steps[..=position])
    }

    /// Undoes the next step, or ends the saga if there is none.
    pub(super) fn undo_next(&mut self) -> Result<(), Fault> {
        if self.instance.memory.undo.is_empty() {
            return self.roll_back();
        }
        self.instance.step = self.instance.memory.undo.remove(0);
        let position = self.position()?;
        let step = &self.definition.steps[position];
        let undo = step.undo_when(self.instance.memory.cancelling);
        let undo = undo.ok_or_else(|| self.unknown_step())?;
        self.send(&undo.command, Purpose::Undo)
    }

    /// Remembers a message that was not awaited.
    pub(super) fn stale(&mut self, heard: Heard<'_>) -> Verdict {
        self.note_heard(What::Stale, heard, 0);
        Verdict::Stale
    }

    pub(super) fn note_heard(&mut self, what: What, heard: Heard<'_>, attempt: u32) {
        self.note(what, Some((heard.id, heard.kind)), attempt);
    }

    /// Remembers who stepped in, and why.
    pub(super) fn note_ordered(
        &mut self,
        what: What,
        message: Option<(Uuid, &str)>,
        ordered: &Ordered,
    ) {
        self.note(what, message, 0);
        if let Some(record) = self.records.last_mut() {
            record.ordered = Some(ordered.clone());
        }
    }

    pub(super) fn note(&mut self, what: What, message: Option<(Uuid, &str)>, attempt: u32) {
        self.instance.records = self.instance.records.saturating_add(1);
        self.records.push(Record {
            number: self.instance.records,
            at: self.moment.now,
            step: self.instance.step.clone(),
            what,
            message: message.map(|(id, _)| id),
            kind: message.map(|(_, kind)| kind.to_owned()),
            attempt,
            ordered: None,
        });
    }

    fn go_back(&mut self, done: &[Step<D>]) -> Result<(), Fault> {
        let cancelling = self.instance.memory.cancelling;
        let undone = done
            .iter()
            .rev()
            .filter(|step| step.undo_when(cancelling).is_some());
        self.instance.memory.undo = undone.map(|step| step.name.clone()).collect();
        self.instance.memory.kept.clear();
        self.undo_next()
    }

    fn roll_back(&mut self) -> Result<(), Fault> {
        self.instance.state = State::RolledBack;
        self.instance.awaited = None;
        match &self.definition.cancellation {
            Some(cancellation) if self.instance.memory.cancelling => {
                self.change(&cancellation.ended)?;
                self.announce(&cancellation.announce)?;
            }
            _ => {
                self.change(&self.definition.when_rolled_back)?;
                self.announce(&self.definition.announce_rolled_back)?;
            }
        }
        self.note(What::RolledBack, None, 0);
        Ok(())
    }

    /// Waits for an event, unless it has come already.
    fn wait_for(&mut self, event: &Rule<D>, position: usize) -> Result<(), Fault> {
        let memory = &mut self.instance.memory.kept;
        let Some(found) = memory.iter().position(|kept| kept.kind == event.kind) else {
            self.instance.state = State::Waiting;
            return Ok(());
        };
        let kept = memory.remove(found);
        event.learn(&self.instance.step, &mut self.data, &kept.body)?;
        self.note(What::Happened, Some((kept.id, &kept.kind)), 0);
        self.finish(position)
    }

    fn send(&mut self, command: &'a Say<D>, purpose: Purpose) -> Result<(), Fault> {
        let speech = self.speak(command)?;
        let (state, what) = match purpose {
            Purpose::Do => (State::Forward, What::Sent),
            Purpose::Undo => (State::Backward, What::UndoSent),
            Purpose::Arbitrate => (State::Cancelling, What::ArbiterAsked),
        };
        self.note(what, Some((speech.id, &speech.kind)), 1);
        self.instance.state = state;
        self.instance.awaited = Some(Awaited {
            id: speech.id,
            kind: speech.kind.clone(),
            purpose,
            attempt: 1,
            sent_at: self.moment.now,
        });
        self.effects.push(Effect::Command(speech));
        Ok(())
    }

    pub(super) fn announce(&mut self, news: &[Say<D>]) -> Result<(), Fault> {
        for news in news {
            let speech = self.speak(news)?;
            self.effects.push(Effect::News(speech));
        }
        Ok(())
    }

    fn speak(&mut self, say: &Say<D>) -> Result<Speech, Fault> {
        let version = self.data.next_version();
        let body = (say.body)(&self.data)?;
        let id = (self.moment.new_id)();
        Ok(Speech {
            id,
            to: say.to.clone(),
            kind: say.kind.clone(),
            version,
            body,
        })
    }

    pub(super) fn change(&mut self, changes: &[Change<D>]) -> Result<(), Fault> {
        let step = &self.instance.step;
        let illegal = |reason| Fault::Illegal {
            step: step.clone(),
            reason,
        };
        let data = &mut self.data;
        changes
            .iter()
            .try_for_each(|change| change(data))
            .map_err(illegal)
    }

    fn unknown_step(&self) -> Fault {
        Fault::UnknownStep {
            definition: self.definition.name.clone(),
            version: self.definition.version,
            step: self.instance.step.clone(),
        }
    }
}
