//! The payment gateway's own books, over its HTTP API.

use anyhow::{Context, bail};
use contracts::OrderId;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::{
    facts::Entry,
    finding::{Finding, Holds, Rule, Subject},
};

/// How long one answer may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);

/// How many references are asked for at once, one by one.
const AT_ONCE: usize = 8;

/// Money was moved under a name that no order has.
pub(crate) const STRANGER: Rule = Rule {
    name: "ledger-stranger",
    about: Subject::Gateway,
    holds: Holds::Always,
    next: "somebody has moved money past payment-service: the ledger has the idempotency keys; who else has access to the gateway?",
};

/// A gateway that lists its ledger.
#[derive(Debug)]
pub(crate) struct Gateway {
    client: Client,
    url: Url,
}

#[derive(Debug, Deserialize)]
struct Lines {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct References {
    references: Vec<Reference>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    reference: String,
    entries: Vec<Entry>,
}

impl Gateway {
    /// The gateway at this address. Nothing when it is none whose ledger can be listed.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn meet(url: Url) -> anyhow::Result<Option<Self>> {
        let client = Client::builder().timeout(PATIENCE).no_proxy().build()?;
        let gateway = Self { client, url };
        match gateway
            .ask("/v1/ledger/references", &[("limit", "1".to_owned())])
            .await?
        {
            Some(References { .. }) => Ok(Some(gateway)),
            None => Ok(None),
        }
    }

    /// References behind `after` up to `upto`, at most `limit`, with their entries.
    ///
    /// # Errors
    /// It does not answer, or not in order.
    pub(crate) async fn page(
        &self,
        after: Uuid,
        upto: Uuid,
        limit: u64,
    ) -> anyhow::Result<Vec<(String, Vec<Entry>)>> {
        let mut query = vec![("limit", limit.to_string())];
        if after != Uuid::nil() {
            query.push(("after", after.to_string()));
        }
        if upto != Uuid::max() {
            query.push(("upTo", upto.to_string()));
        }
        let page: Option<References> = self.ask("/v1/ledger/references", &query).await?;
        let page = page.context("the gateway does not list its ledger any more")?;
        let ids = page
            .references
            .iter()
            .filter_map(|it| Uuid::try_parse(&it.reference).ok());
        if !ids.is_sorted() {
            bail!("the gateway does not list its ledger in the order of the references");
        }
        let pairs = page
            .references
            .into_iter()
            .map(|it| (it.reference, it.entries));
        Ok(pairs.collect())
    }

    /// The entries of these orders.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) async fn of(&self, ids: &[Uuid]) -> anyhow::Result<Vec<(Uuid, Vec<Entry>)>> {
        let asked = stream::iter(ids).map(|&id| async move {
            let lines: Option<Lines> = self
                .ask("/v1/ledger", &[("reference", id.to_string())])
                .await?;
            anyhow::Ok((id, lines.map_or_else(Vec::new, |lines| lines.entries)))
        });
        asked.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Nothing for what it does not have.
    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> anyhow::Result<Option<T>> {
        let url = self.url.join(path)?;
        let asked = async {
            let answer = self.client.get(url).query(query).send().await?;
            if matches!(
                answer.status(),
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
            ) {
                return Ok(None);
            }
            answer.error_for_status()?.json().await.map(Some)
        };
        let answer: Result<Option<T>, reqwest::Error> = asked.await;
        answer.with_context(|| format!("the gateway at {}", self.url))
    }
}

/// Entries under a name that is no order's id.
pub(super) fn stranger(name: &str, entries: &[Entry]) -> Finding {
    let kinds: Vec<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    Finding {
        order: OrderId::new(Uuid::nil()),
        rule: &STRANGER,
        expected: "entries under the ids of orders".to_owned(),
        found: format!("{} under {name:?}", kinds.join(", ")),
    }
}
