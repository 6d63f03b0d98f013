//! A saga to test with: book a flight and a room, pay, print the ticket, wait for the departure, say goodbye.

use saga::{
    Definition, Effect, Fault, Heard, Input, Instance, Intervention, Invalid, Moment, Ordered,
    Outcome, Policy, Process, Speech, apply, ask, saga, say, start, until,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// The data: what the trip learned, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trip {
    pub(crate) version: i64,
    pub(crate) seat: Option<String>,
    pub(crate) gate: Option<String>,
    pub(crate) trouble: Option<String>,
    pub(crate) sent_back: bool,
    pub(crate) state: &'static str,
    /// Somebody wants it to be cancelled.
    pub(crate) locked: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) text: String,
}

impl Process for Trip {
    fn next_version(&mut self) -> i64 {
        self.version += 1;
        self.version
    }

    fn check(&self, _kind: &str, body: &str) -> Result<(), String> {
        Self::read::<Note>(body).map(drop)
    }

    fn sent_back(&mut self) {
        self.sent_back = true;
    }

    fn read<B: DeserializeOwned>(body: &str) -> Result<B, String> {
        serde_json::from_str(body).map_err(|error| error.to_string())
    }

    fn write<B: Serialize>(body: &B) -> Result<String, String> {
        serde_json::to_string(body).map_err(|error| error.to_string())
    }
}

impl Trip {
    fn note(&self) -> Note {
        Note {
            text: format!("{} {}", self.version, self.state),
        }
    }

    fn learn_seat(&mut self, note: &Note) -> Result<(), String> {
        if note.text == "taken" {
            return Err("the seat is taken".to_owned());
        }
        self.seat = Some(note.text.clone());
        Ok(())
    }

    fn learn_gate(&mut self, note: &Note) -> Result<(), String> {
        self.gate = Some(note.text.clone());
        Ok(())
    }

    fn learn_trouble(&mut self, note: &Note) -> Result<(), String> {
        self.trouble = Some(note.text.clone());
        Ok(())
    }

    fn paid(&mut self) -> Result<(), String> {
        self.state = "paid";
        Ok(())
    }

    fn lock(&mut self) -> Result<(), String> {
        self.locked = true;
        Ok(())
    }

    fn unlock(&mut self) -> Result<(), String> {
        self.locked = false;
        Ok(())
    }

    fn cancelled(&mut self) -> Result<(), String> {
        self.state = "cancelled";
        self.unlock()
    }

    fn called_off(&mut self) -> Result<(), String> {
        self.state = "called off";
        Ok(())
    }
}

pub(crate) fn declared() -> Result<Definition<Trip>, Invalid> {
    saga("trip", 1)
        .patience(Policy {
            attempts: 3,
            ..Policy::default()
        })
        .step(
            "flight",
            ask("airline", "BOOK", Trip::note)
                .granted_with("BOOKED", Trip::learn_seat)
                .refused_with("FULL", Trip::learn_trouble),
        )
        .undone_by(ask("airline", "UNBOOK", Trip::note).granted_by("UNBOOKED"))
        .step(
            "passport",
            ask("office", "CHECK", Trip::note)
                .granted_by("CHECKED")
                .refused_with("EXPIRED", Trip::learn_trouble),
        )
        .step(
            "room",
            ask("hotel", "RESERVE", Trip::note)
                .granted_by("RESERVED")
                .refused_with("NO_ROOM", Trip::learn_trouble),
        )
        .undone_by(ask("hotel", "RELEASE", Trip::note).granted_by("RELEASED"))
        .pivot(
            "money",
            ask("bank", "PAY", Trip::note)
                .granted_by("PAID")
                .refused_with("BROKE", Trip::learn_trouble),
        )
        .undone_by(ask("bank", "REFUND", Trip::note).granted_by("REFUNDED"))
        .cancelled_by(ask("bank", "PAY_BACK", Trip::note).granted_by("PAID_BACK"))
        .then(Trip::paid)
        .announce(say("news", "CHANGED", Trip::note))
        .step(
            "ticket",
            ask("airline", "PRINT", Trip::note).granted_by("PRINTED"),
        )
        .wait_with("gate", "GATE", Trip::learn_gate)
        .wait("departure", "DEPARTED")
        .step(
            "goodbye",
            ask("family", "CALL", Trip::note).granted_by("CALLED"),
        )
        .when_rolled_back(Trip::called_off, say("news", "CHANGED", Trip::note))
        .cancellable(
            until("gate")
                .decided_by(
                    "ticket",
                    ask("airline", "MAY_CANCEL", Trip::note)
                        .granted_by("MAY")
                        .refused_by("TOO_LATE"),
                )
                .locked(Trip::lock)
                .released(Trip::unlock)
                .ended(Trip::cancelled)
                .announce(say("news", "CHANGED", Trip::note)),
        )
        .end()
}

/// A running trip, whose ids count from 1 and whose clock stands still.
pub(crate) struct Run {
    pub(crate) definition: Definition<Trip>,
    pub(crate) trip: Trip,
    pub(crate) instance: Instance,
    pub(crate) said: Vec<Speech>,
    pub(crate) records: Vec<saga::Record>,
    ids: u128,
}

impl Run {
    pub(crate) fn new() -> Self {
        let definition = declared().unwrap();
        let mut trip = Trip::default();
        let mut ids = 0;
        let (instance, outcome) =
            with_moment(&mut ids, |moment| start(&definition, &mut trip, moment)).unwrap();
        let (said, records) = (Vec::new(), Vec::new());
        let mut run = Self {
            definition,
            trip,
            instance,
            said,
            records,
            ids,
        };
        run.remember(&outcome);
        run
    }

    pub(crate) fn apply(&mut self, input: Input<'_>) -> Result<Outcome, Fault> {
        let Self {
            definition,
            trip,
            instance,
            ids,
            ..
        } = self;
        let outcome = with_moment(ids, |moment| {
            apply(definition, instance, trip, input, moment)
        })?;
        self.remember(&outcome);
        Ok(outcome)
    }

    /// Hears a message that answers `answers`.
    pub(crate) fn hear(
        &mut self,
        answers: Option<Uuid>,
        kind: &str,
        text: &str,
    ) -> Result<Outcome, Fault> {
        self.ids += 1;
        let body = serde_json::to_string(&Note {
            text: text.to_owned(),
        })
        .unwrap();
        self.apply(Input::Heard(Heard {
            id: Uuid::from_u128(self.ids),
            answers,
            kind,
            body: &body,
        }))
    }

    /// Answers the awaited command.
    pub(crate) fn answer(&mut self, kind: &str) -> Outcome {
        let awaited = self.awaited();
        self.hear(Some(awaited), kind, "fine").unwrap()
    }

    /// Lets an event happen.
    pub(crate) fn happen(&mut self, kind: &str) -> Outcome {
        self.hear(None, kind, "fine").unwrap()
    }

    /// The awaited command stays silent for too long.
    pub(crate) fn silence(&mut self) -> Outcome {
        let command = self.awaited();
        self.apply(Input::Silence { command }).unwrap()
    }

    /// Somebody wants the trip to be cancelled.
    pub(crate) fn cancel(&mut self) -> Outcome {
        self.apply(Input::Cancel).unwrap()
    }

    /// An operator steps in where the saga stands.
    pub(crate) fn step_in(&mut self, intervention: Intervention) -> Outcome {
        let step = self.instance.step.clone();
        self.step_in_at(&step, intervention)
    }

    /// An operator steps in who saw the saga at that step.
    pub(crate) fn step_in_at(&mut self, step: &str, intervention: Intervention) -> Outcome {
        let ordered = Ordered {
            by: "ada".to_owned(),
            why: "the airline is on strike".to_owned(),
        };
        self.apply(Input::Operator {
            intervention,
            step,
            ordered: &ordered,
        })
        .unwrap()
    }

    /// All attempts at the awaited command stay silent.
    pub(crate) fn long_silence(&mut self) {
        for _ in 0..3 {
            self.silence();
        }
    }

    pub(crate) fn awaited(&self) -> Uuid {
        self.instance
            .awaited
            .as_ref()
            .expect("a command is awaited")
            .id
    }

    /// The kinds of everything said so far.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        self.said
            .iter()
            .map(|speech| speech.kind.as_str())
            .collect()
    }

    /// Grants every step before the named one.
    pub(crate) fn up_to(step: &str) -> Self {
        let mut run = Self::new();
        while run.instance.step != step {
            run.grant();
        }
        run
    }

    /// Lets the current step, or its undo, succeed.
    pub(crate) fn grant(&mut self) -> Outcome {
        let step = self
            .definition
            .step(&self.instance.step)
            .expect("a known step");
        match self
            .definition
            .awaited(&self.instance)
            .and_then(|ask| ask.accepted().next())
            .map(str::to_owned)
        {
            Some(kind) => self.answer(&kind),
            None => {
                let kind = step.awaited_event().expect("an event").to_owned();
                self.happen(&kind)
            }
        }
    }

    /// Lets everything succeed until the saga has ended.
    pub(crate) fn finish(&mut self) {
        while self.instance.is_alive() {
            self.grant();
        }
    }

    fn remember(&mut self, outcome: &Outcome) {
        self.records.extend(outcome.records.iter().cloned());
        for effect in &outcome.effects {
            match effect {
                Effect::Command(speech) | Effect::News(speech) => self.said.push(speech.clone()),
                Effect::Again(_) => {}
            }
        }
    }
}

fn with_moment<T>(ids: &mut u128, work: impl FnOnce(&mut Moment<'_>) -> T) -> T {
    let mut new_id = || {
        *ids += 1;
        Uuid::from_u128(*ids)
    };
    work(&mut Moment {
        now: chrono::DateTime::UNIX_EPOCH,
        new_id: &mut new_id,
    })
}
