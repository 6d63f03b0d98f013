//! The real gateway simulator, with its own database and over HTTP.

use std::{sync::Arc, time::Duration};

use contracts::{Money, OrderId, PaymentState};
use payment_service::{
    domain::{Card, Secret},
    gateway::{Authorised, Client, Failure, Gateway, Hold, Key, Tokenised},
};
use reqwest::Url;
use serde_json::Value;
use service::{Context, Settings};
use testing::Database;

use crate::scene::{PATIENCE, Scene, authorise, capture, new_order, next_year, void};

/// A running simulator.
pub(crate) struct Simulator {
    _database: Database,
    context: Context,
    pub(crate) url: Url,
}

impl Simulator {
    pub(crate) async fn start() -> Self {
        let database = Database::new().await;
        let settings = Settings::local("gateway-simulator", Some(database.url()));
        let context = Context::new(&settings);
        let config = gateway_simulator::Config {
            service: settings,
            latency_ms: 0,
            late_ms: 1_000,
        };
        tokio::spawn(gateway_simulator::run(config, context.clone()));
        let url = format!("http://{}", context.address().await);
        Self {
            _database: database,
            context,
            url: url.parse().unwrap(),
        }
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        Arc::new(Client::new(&self.url, PATIENCE).unwrap())
    }

    /// What happened to the money of an order.
    async fn ledger(&self, order: OrderId) -> Vec<String> {
        let url = self.url.join(&format!("/v1/ledger?reference={order}"));
        let answer = reqwest::get(url.unwrap()).await.unwrap();
        let ledger: Value = answer.json().await.unwrap();
        let entries = ledger["entries"].as_array().unwrap();
        let kinds = entries.iter().map(|entry| entry["kind"].as_str().unwrap());
        kinds.map(str::to_owned).collect()
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.context.shutdown.cancel();
    }
}

fn card(number: &str) -> Card {
    Card {
        number: Secret::new(number.to_owned()),
        expiry: next_year(),
        cvc: Secret::new("123".to_owned()),
    }
}

async fn token(gateway: &Client, number: &str) -> Secret {
    match gateway.tokenise(&card(number)).await.unwrap() {
        Tokenised::Token { token, last4, .. } => {
            assert!(number.ends_with(&last4));
            token
        }
        Tokenised::Refused(field) => panic!("{field} is refused"),
    }
}

fn key(text: String) -> Key {
    Key { text, trace: None }
}

#[tokio::test]
async fn every_call_of_the_trait_does_at_the_simulator_what_it_says() {
    let simulator = Simulator::start().await;
    let gateway = simulator.client();
    let reference = new_order();
    let hold = Hold {
        token: token(&gateway, "5555555555554444").await,
        amount: Money::new(1250, contracts::Currency::EUR).unwrap(),
        reference,
    };
    let authorise = key(format!("{reference}-authorise"));
    let first = gateway.authorise(&authorise, &hold).await.unwrap();
    assert_eq!(gateway.authorise(&authorise, &hold).await.unwrap(), first);
    let Authorised::Approved(authorisation) = first else {
        panic!("{first:?}");
    };
    for _ in 0..2 {
        let capture = key(format!("{reference}-capture"));
        gateway.capture(&capture, &authorisation).await.unwrap();
        let refund = key(format!("{reference}-refund"));
        gateway.refund(&refund, &authorisation).await.unwrap();
    }
    assert_eq!(
        simulator.ledger(reference).await,
        ["HOLD", "CHARGE", "REFUND"]
    );
    let void = key(format!("{reference}-void"));
    let voided = gateway.void(&void, &authorisation).await;
    assert!(matches!(voided, Err(Failure::Unusable(_))));
}

#[tokio::test]
async fn cards_that_the_simulator_does_not_take_are_refused_by_field() {
    let simulator = Simulator::start().await;
    let gateway = simulator.client();
    let refused = gateway.tokenise(&card("6304000000000000")).await.unwrap();
    assert!(matches!(refused, Tokenised::Refused("cardNumber")));
    let refused = gateway.tokenise(&card("378282246310005")).await.unwrap();
    assert!(matches!(refused, Tokenised::Refused("cvc")));
}

#[tokio::test]
async fn a_token_that_the_gateway_has_forgotten_is_a_declined_card() {
    let simulator = Simulator::start().await;
    let reference = new_order();
    let hold = Hold {
        token: Secret::new("tok_forgotten".to_owned()),
        amount: Money::new(1250, contracts::Currency::EUR).unwrap(),
        reference,
    };
    let asked = simulator.client();
    let answer = asked.authorise(&key(reference.to_string()), &hold).await;
    let Ok(Authorised::Declined(reason)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(reason.code, contracts::Code::CARD_UNUSABLE);
}

#[tokio::test]
async fn approved_declined_late_and_lost_cards_end_as_they_must() {
    let (simulator, scene) = (Simulator::start().await, Scene::new().await);
    let gateway = simulator.client();
    let service = scene.instance(0, gateway.clone());
    for (number, kind, code) in [
        ("4242424242424242", "PAYMENT_APPROVED", None),
        ("4000000000000259", "PAYMENT_APPROVED", None),
        ("4000000000000119", "PAYMENT_APPROVED", None),
        (
            "4000000000000002",
            "PAYMENT_REJECTED",
            Some("CARD_DECLINED"),
        ),
        (
            "4000000000009995",
            "PAYMENT_REJECTED",
            Some("INSUFFICIENT_FUNDS"),
        ),
    ] {
        let token = token(&gateway, number).await;
        let method = scene.method(token.expose(), next_year()).await;
        let order = new_order();
        let hold = authorise(order, scene.customer, method);
        service.handle(&[&hold]).await;
        let answer = scene.answer(&hold).await;
        assert_eq!(answer.kind, kind, "{number}");
        assert_eq!(answer.json()["reason"]["code"].as_str(), code);
        if code.is_some() {
            assert_eq!(simulator.ledger(order).await, ["DECLINE"]);
            continue;
        }
        let take = capture(order);
        service.handle(&[&take]).await;
        assert_eq!(scene.answer(&take).await.kind, "PAYMENT_CAPTURED");
        assert_eq!(simulator.ledger(order).await, ["HOLD", "CHARGE"]);
    }
}

#[tokio::test]
async fn a_hold_whose_answer_was_lost_is_found_and_let_go() {
    let (simulator, scene) = (Simulator::start().await, Scene::new().await);
    let gateway = simulator.client();
    let service = scene.instance(0, gateway.clone());
    let token = token(&gateway, "4000000000000119").await;
    let method = scene.method(token.expose(), next_year()).await;
    let order = new_order();
    let (hold, let_go) = (authorise(order, scene.customer, method), void(order));
    service.handle(&[&hold, &let_go]).await;
    assert_eq!(scene.answer(&let_go).await.kind, "PAYMENT_VOIDED");
    scene.settled(order, PaymentState::Voided).await;
    assert_eq!(simulator.ledger(order).await, ["HOLD", "VOID"]);
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_away() {
    let reserved = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", reserved.local_addr().unwrap());
    drop(reserved);
    let gateway = Client::new(&url.parse().unwrap(), Duration::from_secs(5)).unwrap();
    let asked = gateway.capture(&key("k".to_owned()), "a").await;
    assert!(matches!(asked, Err(Failure::Away(_))), "{asked:?}");
}
