//! The card network: the simulator's own decisions, with its books in memory.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use contracts::{Code, OrderId, Reason};
use futures_util::{FutureExt, future::ready};
use gateway_simulator::domain::{Action, Amount, Answer, Authorisation, Behaviour, Command, Entry};
use payment_service::{
    domain::Card,
    gateway::{Asked, Authorised, Failure, Gateway, Hold, Key, Tokenised},
};
use uuid::Uuid;

use crate::ids::Ids;

/// A line of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) entry: Entry,
    pub(crate) amount: i64,
}

#[derive(Debug, Default)]
struct Books {
    answers: BTreeMap<String, (String, Answer)>,
    authorisations: BTreeMap<Uuid, Authorisation>,
    ledger: BTreeMap<String, Vec<Line>>,
}

/// A gateway that answers at once. That calls and answers get lost is not its business.
pub(crate) struct Network {
    ids: Ids,
    books: Mutex<Books>,
    /// See [`Defect::FreshGatewayKeys`](crate::Defect::FreshGatewayKeys).
    fresh_keys: bool,
}

impl Network {
    pub(crate) fn new(ids: Ids, fresh_keys: bool) -> Self {
        Self {
            ids,
            books: Mutex::default(),
            fresh_keys,
        }
    }

    /// What happened to the money of an order.
    pub(crate) fn ledger(&self, order: OrderId) -> Vec<Line> {
        let books = self.books();
        let lines = books.ledger.get(&order.to_string());
        lines.cloned().unwrap_or_default()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Once per key, as the simulator's store does it.
    fn execute(&self, key: &Key, command: Command) -> Result<Answer, Failure> {
        let mut books = self.books();
        let request = command.to_string();
        let key = match self.fresh_keys {
            true => format!("{}-{}", key.text, self.ids.fresh()),
            false => key.text.clone(),
        };
        if let Some((earlier, answer)) = books.answers.get(&key) {
            let taken = "the idempotency key was used for another request";
            return match *earlier == request {
                true => Ok(answer.clone()),
                false => Err(Failure::Unusable(taken.to_owned())),
            };
        }
        let (authorisation, answer) = match command {
            Command::Authorise {
                token,
                reference,
                amount,
            } => {
                let behaviour = Behaviour::named(&token).unwrap_or(Behaviour::Declines);
                let (authorisation, reason) =
                    Authorisation::decide(self.ids.fresh(), behaviour, reference, amount);
                let answer = Answer::decided(&authorisation, reason);
                (authorisation, answer)
            }
            Command::Act {
                action,
                authorisation,
            } => {
                let known = books.authorisations.get(&authorisation).cloned();
                let mut known =
                    known.ok_or_else(|| Failure::Unusable("no such authorisation".to_owned()))?;
                known
                    .apply(action)
                    .map_err(|illegal| Failure::Unusable(illegal.to_string()))?;
                let answer = Answer::done(&known);
                (known, answer)
            }
        };
        let line = Line {
            entry: authorisation.state.entry(),
            amount: authorisation.amount.amount,
        };
        let reference = authorisation.reference.clone();
        books.ledger.entry(reference).or_default().push(line);
        books.answers.insert(key, (request, answer.clone()));
        books.authorisations.insert(authorisation.id, authorisation);
        Ok(answer)
    }

    fn act(&self, key: &Key, action: Action, authorisation: &str) -> Result<(), Failure> {
        let authorisation = authorisation
            .parse()
            .map_err(|_| Failure::Unusable("no authorisation looks like this".to_owned()))?;
        let command = Command::Act {
            action,
            authorisation,
        };
        self.execute(key, command).map(drop)
    }
}

impl Gateway for Network {
    fn tokenise<'a>(&'a self, _: &'a Card) -> Asked<'a, Tokenised> {
        ready(Ok(Tokenised::Refused("cardNumber"))).boxed()
    }

    fn authorise<'a>(&'a self, key: &'a Key, hold: &'a Hold) -> Asked<'a, Authorised> {
        let command = Command::Authorise {
            token: hold.token.expose().to_owned(),
            reference: hold.reference.to_string(),
            amount: Amount {
                amount: hold.amount.amount(),
                currency: hold.amount.currency().as_str().to_owned(),
            },
        };
        let answer = self
            .execute(key, command)
            .map(|answer| match answer.reason {
                None => Authorised::Approved(answer.authorisation_id.to_string()),
                Some(_) => {
                    Authorised::Declined(Reason::new(Code::CARD_DECLINED, "The card was declined."))
                }
            });
        ready(answer).boxed()
    }

    fn capture<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()> {
        ready(self.act(key, Action::Capture, authorisation)).boxed()
    }

    fn void<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()> {
        ready(self.act(key, Action::Void, authorisation)).boxed()
    }

    fn refund<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()> {
        ready(self.act(key, Action::Refund, authorisation)).boxed()
    }
}
