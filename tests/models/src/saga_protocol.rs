//! The saga's protocol: the real interpreter, participants, and a network that repeats and reorders as it likes.

mod definition;
mod participants;
mod properties;

use std::collections::BTreeSet;

use chrono::DateTime;
use saga::{
    Definition, Effect, Fault, Heard, Input, Instance, Intervention, Invalid, Moment, Ordered,
    Outcome, Purpose, Speech, State, Verdict, apply, start,
};
use stateright::{Model, Property};
use uuid::Uuid;

pub use definition::{End, Trade};
pub use participants::{Account, Booking, Participants, Work};

use definition::{MADE, PIVOT};

/// Ids of messages that are not the saga's own begin here.
const REPLIES: u128 = 1_000;

/// What can be wrong, to see that it would be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Participants do again what they are told again.
    NoDeduplication,
    /// Participants forget an undo of what they have not heard of yet.
    NoTombstones,
    /// The pivot has no undo.
    NoCompensation,
    /// A reply counts if its kind fits, whatever command it answers.
    AnyReplyOfTheKind,
    /// An operator says that something was done which was not.
    CarelessOperator,
}

/// The model, and how much may go wrong in it.
pub struct Protocol {
    definition: Definition<Trade>,
    /// How often somebody asks for the saga to be cancelled.
    cancels: u8,
    /// How often an operator steps in.
    interventions: u8,
    flaw: Option<Flaw>,
}

/// All there is, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// The saga, as the database has it.
    pub instance: Instance,
    /// Its data.
    pub trade: Trade,
    /// Messages that the saga has said: the source of ids.
    said: u8,
    /// Every command that was ever sent, in this order. Each may be delivered at any time, any number of times.
    pub commands: Vec<Command>,
    /// What the participants did.
    pub participants: Participants,
    /// How often somebody may still ask for it to be cancelled.
    cancels: u8,
    /// How often an operator may still step in.
    interventions: u8,
    /// Whether the saga has been behind its pivot.
    pub was_behind_the_pivot: bool,
    /// Whether it went back because somebody stayed silent.
    pub gave_up: bool,
    /// What must not happen in a step, and did.
    pub breaches: BTreeSet<Breach>,
}

/// A command, with the kinds of reply that were given to it: each of them may be heard at any time, any number of times.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Command {
    /// Its id.
    pub id: Uuid,
    /// Its kind.
    pub kind: String,
    /// Its body.
    pub body: String,
    /// What was answered.
    pub replies: Vec<&'static str>,
}

/// What must not happen in a step: it cannot be seen in the states before and after it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breach {
    /// The interpreter could not apply an input.
    Fault,
    /// An input that was stale, or refused, changed something or said something.
    StaleHadEffect,
    /// Something else was sent again than the awaited command, or under an id that was not sent before.
    AnotherAgain,
    /// A new command has the id of an older one, or is not the one that is awaited.
    AnotherCommand,
    /// A saga that had ended moved.
    MovedAfterTheEnd,
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A command reaches its participant, for the first time or again, and he is willing or not.
    Deliver {
        /// Which command.
        command: usize,
        /// Whether he does it, where he can refuse.
        willing: bool,
    },
    /// A reply reaches the saga, for the first time or again.
    Hear {
        /// To which command.
        command: usize,
        /// Which of the replies to it.
        reply: usize,
    },
    /// The maker is done, and says so.
    Work,
    /// The maker's event reaches the saga, for the first time or again.
    HearEvent,
    /// The awaited command stayed without an answer for too long.
    Silence,
    /// Somebody asks for it to be cancelled.
    Cancel,
    /// An operator steps in.
    StepIn(Intervention),
}

impl Protocol {
    /// The protocol, with so many requests to cancel and interventions of an operator.
    ///
    /// # Errors
    /// Never: a test builds it.
    pub fn new(cancels: u8, interventions: u8) -> Result<Self, Invalid> {
        Self::build(cancels, interventions, None)
    }

    /// The same, with something wrong.
    ///
    /// # Errors
    /// Never: a test builds it.
    pub fn flawed(flaw: Flaw) -> Result<Self, Invalid> {
        let interventions = u8::from(flaw == Flaw::CarelessOperator);
        Self::build(1, interventions, Some(flaw))
    }

    fn build(cancels: u8, interventions: u8, flaw: Option<Flaw>) -> Result<Self, Invalid> {
        Ok(Self {
            definition: definition::definition(flaw)?,
            cancels,
            interventions,
            flaw,
        })
    }

    /// Whether the saga stands behind the step that is its pivot.
    fn is_behind_the_pivot(&self, world: &World) -> bool {
        let place = |name: &str| {
            let mut steps = self.definition.steps().iter();
            steps.position(|step| step.name() == name)
        };
        place(&world.instance.step) > place(PIVOT)
    }

    /// Whether an operator may say so: what is awaited was done, the arbiter has agreed, the event has happened. What else cannot
    /// be skipped is the interpreter's to know: it is asked to all the same.
    fn is_done(&self, world: &World) -> bool {
        let (Some(awaited), Some(ask)) = (
            &world.instance.awaited,
            self.definition.awaited(&world.instance),
        ) else {
            return world.participants.work == Work::Made;
        };
        let sent = world.commands.iter().find(|sent| sent.id == awaited.id);
        sent.is_some_and(|sent| ask.accepted().any(|answer| sent.replies.contains(&answer)))
    }

    /// What an operator may do: to go on, or to answer for the arbiter, he has to know.
    fn interventions(&self, world: &World) -> Vec<Intervention> {
        let knows = self.flaw == Some(Flaw::CarelessOperator) || self.is_done(world);
        let awaited = world.instance.awaited.as_ref();
        let arbitrated = awaited.is_some_and(|awaited| awaited.purpose == Purpose::Arbitrate);
        let skip = knows.then_some(Intervention::Skip);
        let send_back = (knows || !arbitrated).then_some(Intervention::SendBack);
        [Intervention::Retry]
            .into_iter()
            .chain(skip)
            .chain(send_back)
            .collect()
    }

    /// The orchestrator's transaction: applies an input and commits. A crash before the commit is as if nothing had
    /// happened; one after it is as if the input came again.
    fn decide(&self, world: &mut World, input: Input<'_>) {
        let before = (world.instance.clone(), world.trade.clone());
        let World {
            instance,
            trade,
            said,
            ..
        } = world;
        let decided = with_moment(said, |moment| {
            apply(&self.definition, instance, trade, input, moment)
        });
        // How long the history is has no bearing on what follows.
        world.instance.records = 0;
        let Ok(outcome) = decided else {
            world.breaches.insert(Breach::Fault);
            return;
        };
        let moved = before != (world.instance.clone(), world.trade.clone());
        let idle = matches!(outcome.verdict, Verdict::Stale | Verdict::Refused(_));
        if idle && (moved || !outcome.effects.is_empty()) {
            world.breaches.insert(Breach::StaleHadEffect);
        }
        if moved && !before.0.is_alive() {
            world.breaches.insert(Breach::MovedAfterTheEnd);
        }
        world.send(outcome);
        world.was_behind_the_pivot |=
            self.is_behind_the_pivot(world) && !world.instance.is_going_back();
        let turned = world.instance.is_going_back() && !before.0.is_going_back();
        world.gave_up |= turned && matches!(input, Input::Silence { .. });
    }

    /// The command that a reply is taken to answer: its own, unless the orchestrator does not care.
    fn answered(&self, world: &World, command: Uuid, kind: &str) -> Uuid {
        let awaited = world.instance.awaited.as_ref().map(|awaited| awaited.id);
        let fits = |ask: &saga::Ask<Trade>| ask.answers().any(|answer| answer == kind);
        let careless = self.flaw == Some(Flaw::AnyReplyOfTheKind)
            && self.definition.awaited(&world.instance).is_some_and(fits);
        awaited.filter(|_| careless).unwrap_or(command)
    }
}

impl World {
    fn send(&mut self, outcome: Outcome) {
        for effect in outcome.effects {
            match effect {
                Effect::Command(speech) => self.send_command(speech),
                Effect::Again(id) => {
                    let sent = self.commands.iter().find(|command| command.id == id);
                    let same = self.instance.awaited.as_ref().is_some_and(|awaited| {
                        awaited.id == id && sent.is_some_and(|sent| sent.kind == awaited.kind)
                    });
                    if !same {
                        self.breaches.insert(Breach::AnotherAgain);
                    }
                }
                Effect::News(_) => {}
            }
        }
    }

    fn send_command(&mut self, speech: Speech) {
        let known = self.commands.iter().any(|command| command.id == speech.id);
        let awaited = self.instance.awaited.as_ref().map(|awaited| awaited.id);
        if known || awaited != Some(speech.id) {
            self.breaches.insert(Breach::AnotherCommand);
        }
        self.commands.push(Command {
            id: speech.id,
            kind: speech.kind,
            body: speech.body,
            replies: Vec::new(),
        });
    }

    fn deliver(&mut self, command: usize, willing: bool, flaw: Option<Flaw>) {
        let Some(command) = self.commands.get_mut(command) else {
            return;
        };
        // The inbox knows the command, and answers as before.
        if !command.replies.is_empty() && flaw != Some(Flaw::NoDeduplication) {
            return;
        }
        let reply = self.participants.handle(&command.kind, willing, flaw);
        if !command.replies.contains(&reply) {
            command.replies.push(reply);
        }
    }

    /// The commands of that kind.
    pub fn sent(&self, kind: &str) -> impl Iterator<Item = &Command> {
        self.commands
            .iter()
            .filter(move |command| command.kind == kind)
    }

    /// Whether a command of that kind was answered so.
    #[must_use]
    pub fn was_answered(&self, kind: &str, reply: &str) -> bool {
        self.sent(kind)
            .any(|command| command.replies.contains(&reply))
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let (mut trade, mut said) = (Trade::default(), 0);
        let begun = with_moment(&mut said, |moment| {
            start(&self.definition, &mut trade, moment)
        });
        let worlds = begun.map(|(instance, outcome)| {
            let mut world = World {
                instance,
                trade,
                said,
                commands: Vec::new(),
                participants: Participants::default(),
                cancels: self.cancels,
                interventions: self.interventions,
                was_behind_the_pivot: false,
                gave_up: false,
                breaches: BTreeSet::new(),
            };
            world.instance.records = 0;
            world.send(outcome);
            world
        });
        worlds.into_iter().collect()
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (index, command) in world.commands.iter().enumerate() {
            let deliver = |willing| Action::Deliver {
                command: index,
                willing,
            };
            actions.push(deliver(true));
            if world.participants.may_refuse(&command.kind) {
                actions.push(deliver(false));
            }
            actions.extend((0..command.replies.len()).map(|reply| Action::Hear {
                command: index,
                reply,
            }));
        }
        match world.participants.work {
            Work::Making => actions.push(Action::Work),
            Work::Made => actions.push(Action::HearEvent),
            Work::Unknown | Work::Stopped => {}
        }
        if world.instance.awaited.is_some() && world.instance.state != State::Stuck {
            actions.push(Action::Silence);
        }
        if world.cancels > 0 {
            actions.push(Action::Cancel);
        }
        if world.interventions > 0 {
            actions.extend(self.interventions(world).into_iter().map(Action::StepIn));
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        match action {
            Action::Deliver { command, willing } => world.deliver(command, willing, self.flaw),
            Action::Hear { command, reply } => {
                let sent = last.commands.get(command)?;
                let kind = sent.replies.get(reply)?;
                let number = REPLIES + 10 * command as u128 + reply as u128;
                let answers = self.answered(last, sent.id, kind);
                self.decide(&mut world, heard(number, Some(answers), kind));
            }
            Action::Work => world.participants.work = Work::Made,
            Action::HearEvent => self.decide(&mut world, heard(REPLIES - 1, None, MADE)),
            Action::Silence => {
                let command = last.instance.awaited.as_ref()?.id;
                self.decide(&mut world, Input::Silence { command });
            }
            Action::Cancel => {
                world.cancels -= 1;
                self.decide(&mut world, Input::Cancel);
            }
            Action::StepIn(intervention) => {
                world.interventions -= 1;
                let ordered = Ordered {
                    by: String::new(),
                    why: String::new(),
                };
                let input = Input::Operator {
                    intervention,
                    step: &last.instance.step,
                    ordered: &ordered,
                };
                self.decide(&mut world, input);
            }
        }
        // What changes nothing is no step: so a state without a step is one in which nothing can happen any more.
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

fn heard(id: u128, answers: Option<Uuid>, kind: &str) -> Input<'_> {
    Input::Heard(Heard {
        id: Uuid::from_u128(id),
        answers,
        kind,
        body: "null",
    })
}

/// Ids count what was said, and the clock stands still: the interpreter asks it only for what it writes down.
fn with_moment<T>(
    said: &mut u8,
    work: impl FnOnce(&mut Moment<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut new_id = || {
        *said += 1;
        Uuid::from_u128((*said).into())
    };
    work(&mut Moment {
        now: DateTime::UNIX_EPOCH,
        new_id: &mut new_id,
    })
}
