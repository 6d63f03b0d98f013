//! A gateway that keeps a ledger, as every gateway does, and goes wrong on command.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Display,
    sync::{Arc, Mutex},
};

use contracts::{Code, Reason};
use futures_util::FutureExt;
use payment_service::{
    domain::{Card, Secret},
    gateway::{Asked, Authorised, Failure, Gateway, Hold, Key, Tokenised},
};
use tokio::sync::Semaphore;

/// A card with this token is declined.
pub(crate) const DECLINED: &str = "tok_declined";

/// How a call goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Twist {
    /// The gateway is away: nothing happens.
    Away,
    /// It happens, but the answer is lost.
    Lost,
    /// It happens, but the answer never comes, as seen by somebody who is killed while waiting.
    Never,
    /// Nothing happens, and no answer comes, as seen by somebody who is killed just before the call.
    Unheard,
    /// It happens, and the answer comes when somebody adds a permit.
    Gated(Arc<Semaphore>),
}

#[derive(Debug, Default)]
struct Books {
    /// What was answered to each key.
    answers: HashMap<String, Result<String, Reason>>,
    /// What happened: the kind of call and the order.
    ledger: Vec<(&'static str, String)>,
    /// All calls, with their keys.
    asked: Vec<String>,
    twists: VecDeque<Twist>,
    /// The last digits of all cards that were to be exchanged.
    cards: Vec<String>,
    card_twists: VecDeque<Twist>,
}

/// A gateway that keeps a ledger and goes wrong on command.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    books: Mutex<Books>,
}

impl Scripted {
    /// The next calls go wrong like this.
    pub(crate) fn twisted(twists: impl IntoIterator<Item = Twist>) -> Arc<Self> {
        let gateway = Self::default();
        gateway.books.lock().unwrap().twists.extend(twists);
        Arc::new(gateway)
    }

    /// The next cards go wrong like this.
    pub(crate) fn twisted_cards(twists: impl IntoIterator<Item = Twist>) -> Arc<Self> {
        let gateway = Self::default();
        gateway.books.lock().unwrap().card_twists.extend(twists);
        Arc::new(gateway)
    }

    /// The last digits of all cards that were to be exchanged, in their order.
    pub(crate) fn cards(&self) -> Vec<String> {
        self.books.lock().unwrap().cards.clone()
    }

    /// What happened to the money of an order.
    pub(crate) fn ledger(&self, order: impl Copy + Display) -> Vec<&'static str> {
        let (books, order) = (self.books.lock().unwrap(), order.to_string());
        let of_order = books.ledger.iter().filter(|(_, of)| *of == order);
        of_order.map(|(kind, _)| *kind).collect()
    }

    /// The keys of all calls, in their order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.books.lock().unwrap().asked.clone()
    }

    fn next_twist(&self, key: &Key) -> Option<Twist> {
        let mut books = self.books.lock().unwrap();
        books.asked.push(key.text.clone());
        books.twists.pop_front()
    }

    fn enter(
        &self,
        key: &Key,
        kind: &'static str,
        order: &str,
        answer: Result<String, Reason>,
    ) -> Result<String, Reason> {
        let mut books = self.books.lock().unwrap();
        if let Some(given) = books.answers.get(&key.text) {
            return given.clone();
        }
        books.answers.insert(key.text.clone(), answer.clone());
        books.ledger.push((kind, order.to_owned()));
        answer
    }

    async fn call(
        &self,
        key: &Key,
        kind: &'static str,
        order: &str,
        answer: Result<String, Reason>,
    ) -> Result<Result<String, Reason>, Failure> {
        let twist = self.next_twist(key);
        let away = || Failure::Away("scripted".to_owned());
        match twist {
            Some(Twist::Away) => return Err(away()),
            Some(Twist::Unheard) => std::future::pending::<()>().await,
            _ => {}
        }
        let answer = self.enter(key, kind, order, answer);
        match twist {
            Some(Twist::Lost) => Err(away()),
            Some(Twist::Never) => std::future::pending().await,
            Some(Twist::Gated(gate)) => {
                gate.acquire().await.unwrap().forget();
                Ok(answer)
            }
            _ => Ok(answer),
        }
    }

    /// The hold's name is its order.
    fn act<'a>(
        &'a self,
        key: &'a Key,
        kind: &'static str,
        authorisation: &'a str,
    ) -> Asked<'a, ()> {
        async move {
            let order = authorisation.trim_start_matches("hold-");
            self.call(key, kind, order, Ok(String::new()))
                .await
                .map(drop)
        }
        .boxed()
    }
}

impl Gateway for Scripted {
    fn tokenise<'a>(&'a self, card: &'a Card) -> Asked<'a, Tokenised> {
        let number = card.number.expose();
        let last4 = number[number.len() - 4..].to_owned();
        async move {
            let twist = {
                let mut books = self.books.lock().unwrap();
                books.cards.push(last4.clone());
                books.card_twists.pop_front()
            };
            match twist {
                None => {}
                Some(Twist::Away | Twist::Lost) => {
                    return Err(Failure::Away("scripted".to_owned()));
                }
                Some(Twist::Never | Twist::Unheard) => std::future::pending().await,
                Some(Twist::Gated(gate)) => gate.acquire().await.unwrap().forget(),
            }
            Ok(Tokenised::Token {
                token: Secret::new(format!("tok_{last4}")),
                brand: "visa".to_owned(),
                last4,
            })
        }
        .boxed()
    }

    fn authorise<'a>(&'a self, key: &'a Key, hold: &'a Hold) -> Asked<'a, Authorised> {
        async move {
            let order = hold.reference.to_string();
            let refused = hold.token.expose() == DECLINED;
            let (kind, answer) = match refused {
                true => ("DECLINE", Err(Reason::new(Code::CARD_DECLINED, "No."))),
                false => ("HOLD", Ok(format!("hold-{order}"))),
            };
            Ok(match self.call(key, kind, &order, answer).await? {
                Ok(authorisation) => Authorised::Approved(authorisation),
                Err(reason) => Authorised::Declined(reason),
            })
        }
        .boxed()
    }

    fn capture<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()> {
        self.act(key, "CHARGE", authorisation)
    }

    fn void<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()> {
        self.act(key, "VOID", authorisation)
    }

    fn refund<'a>(&'a self, key: &'a Key, authorisation: &'a str) -> Asked<'a, ()> {
        self.act(key, "REFUND", authorisation)
    }
}
