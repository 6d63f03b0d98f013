//! Afterwards: everything that clients were promised is asked for again, over REST, and compared.

use std::collections::BTreeSet;
use std::time::Duration;

use contracts::{OrderId, OrderState};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use tokio::time::timeout;
use visitor::client::{Answer, Client, ORDERS, Request, VIEW};
use visitor::violation::Violation;

use crate::ledger::{Account, Ending};
use crate::load::Load;

/// Questions at once.
const AT_ONCE: usize = 20;
/// Everything is healed: an answer that takes longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct Owned {
    state: OrderState,
    version: i64,
}

#[derive(Deserialize)]
struct Page {
    orders: Vec<Listed>,
    next: Option<OrderId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    order_id: OrderId,
}

/// Every order alone, then all of them together: none is missing, none is there that nobody was told of.
pub(crate) async fn judge(load: &Load) -> Vec<Violation> {
    let accounts: Vec<Account> = load
        .stories()
        .iter()
        .map(|story| story.account().clone())
        .collect();
    let promised: BTreeSet<OrderId> = accounts
        .iter()
        .filter_map(|one| Some(one.placed.as_ref()?.0))
        .collect();
    let found = stream::iter(accounts)
        .map(|account| judge_one(&load.client, account))
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut violations: Vec<Violation> = found.into_iter().flatten().collect();
    match timeout(PATIENCE, listed(&load.client, &load.world.restaurant)).await {
        Ok(listed) => {
            violations.extend(
                promised
                    .difference(&listed)
                    .map(|id| Violation::of(id, "the view does not list it")),
            );
            let strangers = listed.difference(&promised);
            violations.extend(
                strangers.map(|id| {
                    Violation::of(id, "the view lists an order that no client was told of")
                }),
            );
        }
        Err(_) => violations.push(Violation::general("the view does not list the orders")),
    }
    violations
}

async fn judge_one(client: &Client, account: Account) -> Vec<Violation> {
    let Some((id, _)) = account.placed.clone() else {
        let ending = Ending {
            owner: None,
            again: String::new(),
        };
        return account.judge(&ending);
    };
    let path = format!("/orders/{id}");
    let asked = async {
        let again = Request::keyed(ORDERS, "/orders", &account.body, &account.key);
        let again = answer(client, &again).await;
        let owner = answer(client, &Request::get(ORDERS, &path)).await;
        (again, owner)
    };
    match timeout(PATIENCE, asked).await {
        Ok((again, owner)) => account.judge(&Ending {
            again: again.body,
            owner: serde_json::from_str(&owner.body)
                .ok()
                .map(|Owned { state, version }| (state, version)),
        }),
        Err(_) => vec![Violation::of(
            id,
            "order-service does not answer, long after everything was healed",
        )],
    }
}

/// The first answer that is none of a server in trouble.
async fn answer(client: &Client, request: &Request<'_>) -> Answer {
    client
        .insist(request, |answer| {
            answer.filter(|answer| answer.status < 500)
        })
        .await
}

async fn listed(client: &Client, restaurant: &str) -> BTreeSet<OrderId> {
    let mut all = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/orders?restaurantId={restaurant}&limit=100{cursor}");
        let answer = answer(client, &Request::get(VIEW, &path)).await;
        let Ok(Page { orders, next }) = serde_json::from_str(&answer.body) else {
            return all;
        };
        all.extend(orders.into_iter().map(|order| order.order_id));
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}
