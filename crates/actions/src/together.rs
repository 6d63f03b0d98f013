//! Actions for one order each, done together with those that come at the same time.

use std::collections::BTreeMap;

use axum::extract::FromRef;
use contracts::OrderId;
use messaging::{Joint, Stamp, Store, Together, UnitOfWork};
use sea_orm::DbErr;

use crate::{Action, Error, Patience, act_on_all};

/// Does the actions of a service. Cheap to clone.
#[derive(Debug)]
pub struct Actions<A: Action>(Together<Acting<A>>);

#[derive(Debug)]
struct Acting<A>(std::marker::PhantomData<fn() -> A>);

/// The orders that one request has changed: its own, or none when it was done before.
type Answer = Result<Vec<OrderId>, Error>;

impl<A: Action> Actions<A> {
    /// Does actions on the database of `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self(Together::new(store, Acting(std::marker::PhantomData)))
    }

    /// Does `action` to one order. Gives the orders that it changed: this one, or none when it was done before.
    ///
    /// # Errors
    /// See [`Error`]; nothing was changed then.
    pub async fn on(&self, action: A, order: OrderId) -> Answer {
        self.0.ask((action, order)).await?
    }

    /// Does `action` to every order that waits for it, a chunk per transaction. Gives the orders that it changed.
    ///
    /// # Errors
    /// The database's. Chunks that were committed before stay: doing it again does the rest.
    pub async fn on_all(&self, action: A) -> Answer {
        act_on_all(self.0.store(), action).await
    }
}

impl<A: Action> Clone for Actions<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Action> FromRef<Actions<A>> for Store {
    fn from_ref(actions: &Actions<A>) -> Self {
        actions.0.store().clone()
    }
}

impl<A: Action> Joint for Acting<A> {
    type Request = (A, OrderId);
    type Answer = Answer;

    async fn together(
        &self,
        work: &mut UnitOfWork,
        requests: &[(A, OrderId)],
    ) -> Result<Vec<Option<Answer>>, DbErr> {
        act(work, requests, Patience::Skip).await
    }

    async fn alone(&self, work: &mut UnitOfWork, request: &(A, OrderId)) -> Result<Answer, DbErr> {
        let answers = act(work, std::slice::from_ref(request), Patience::Wait).await?;
        let unknown = || Error::Unknown {
            by: A::BY,
            order: request.1,
        };
        Ok(answers
            .into_iter()
            .flatten()
            .next()
            .unwrap_or_else(|| Err(unknown())))
    }
}

/// Applies each action to the aggregate of its order; saves and tells of those that were changed. No answer: there is none, or
/// somebody else has it and was not waited for.
async fn act<A: Action>(
    work: &mut UnitOfWork,
    requests: &[(A, OrderId)],
    patience: Patience,
) -> Result<Vec<Option<Answer>>, DbErr> {
    let orders: Vec<OrderId> = requests.iter().map(|(_, order)| *order).collect();
    let locked = A::lock(work.db(), &orders, patience).await?;
    let mut locked: BTreeMap<OrderId, (A::Aggregate, bool)> = locked
        .into_iter()
        .map(|aggregate| (A::order(&aggregate), (aggregate, false)))
        .collect();
    let (mut stamp, mut news) = (Stamp::live(), Vec::new());
    let mut answers = Vec::with_capacity(requests.len());
    for (action, order) in requests {
        let answer = locked.get_mut(order).map(|(aggregate, changed)| {
            let mut next = aggregate.clone();
            let Some(told) = action.apply(&mut next, &mut stamp)? else {
                return Ok(Vec::new());
            };
            news.push(told);
            (*aggregate, *changed) = (next, true);
            Ok(vec![*order])
        });
        answers.push(answer);
    }
    let changed = locked.into_values().filter(|(_, changed)| *changed);
    let changed: Vec<A::Aggregate> = changed.map(|(aggregate, _)| aggregate).collect();
    if !changed.is_empty() {
        A::save(work.db(), changed).await?;
        work.publish_all(news);
    }
    Ok(answers)
}
