//! What is pure, with what a real order has said: a step of the saga, and the fold of the view.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use contracts::{CreateTicket, Topic, VerifyCustomer};
use messaging::history::Offsets;
use messaging::{Handler as _, Interest, Message};
use order_service::domain::{Items, NewOrder, Order};
use order_view::domain::OrderView;
use order_view::messages::{Folding, news};
use order_view::waiters::Waiters;
use saga::{Heard, Input, Moment, apply, start};
use serde::Serialize;

use crate::bench::Bench;

/// How long each is measured.
const LENGTH: Duration = Duration::from_secs(1);

/// Microseconds of what is pure.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pure {
    /// One message that the saga hears, and what follows from it.
    pub(crate) saga_step: f64,
    /// One message that the view reads and folds.
    pub(crate) view_fold: f64,
    /// How many messages the order has said in all.
    pub(crate) messages: usize,
}

/// Measures both with the order that was first in the topics of this run.
///
/// # Errors
/// There is no order that is complete; or the saga does not go as it went.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Pure> {
    let story = story(bench).await?;
    let heard: Vec<&Message> = story
        .iter()
        .filter(|message| message.topic == Topic::OrderReply.as_str())
        .collect();
    let order = order(&story)?;
    let saga_step = microseconds(heard.len() + 1, || replay(bench, &order, &heard))?;
    let folding = Folding::new(Waiters::default());
    let read: Vec<&Message> = story
        .iter()
        .filter(|message| folding.interest(&message.topic, &message.kind) == Interest::Handle)
        .collect();
    let view_fold = microseconds(read.len(), || fold(&read))?;
    Ok(Pure {
        saga_step,
        view_fold,
        messages: story.len(),
    })
}

/// How long one of `steps` takes, on the average of a second.
fn microseconds(steps: usize, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (mut rounds, begin) = (0, Instant::now());
    while begin.elapsed() < LENGTH {
        work()?;
        rounds += 1;
    }
    Ok(begin.elapsed().as_secs_f64() * 1e6 / (rounds * steps.max(1)) as f64)
}

/// Everything that was said of the first order that this program placed, in the order in which it was said.
async fn story(bench: &Bench) -> anyhow::Result<Vec<Message>> {
    let ends = bench.site.topics.ends(Topic::ALL).await?;
    let begin: Offsets = ends.into_keys().map(|place| (place, 0)).collect();
    let mut all = Vec::new();
    let topics = &bench.site.topics;
    topics
        .since(Topic::ALL, begin, |message| all.push(message))
        .await?;
    let last = all
        .iter()
        .filter(|message| message.kind == "TICKET_COMPLETE");
    let key = last
        .min_by_key(|message| message.time)
        .context("no order is complete")?
        .key;
    all.retain(|message| message.key == key);
    all.sort_by_key(|message| message.time);
    Ok(all)
}

/// The order as it was when it was taken.
fn order(story: &[Message]) -> anyhow::Result<Order> {
    let body = |topic: Topic| {
        let created = story
            .iter()
            .find(|message| message.kind == "ORDER_CREATED" && message.topic == topic.as_str());
        created.context("the order was never created")
    };
    let first = body(Topic::OrderCustomer)?;
    let verify: VerifyCustomer = first.decode()?;
    let ticket: CreateTicket = body(Topic::OrderTicket)?.decode()?;
    let new = NewOrder {
        customer_id: verify.customer_id,
        restaurant_id: ticket.restaurant_id,
        payment_method_id: contracts::PaymentMethodId::new(ambient::new_id()),
        items: Items::new(ticket.items).map_err(|error| anyhow::anyhow!("{error:?}"))?,
    };
    Ok(Order::take(verify.order_id, new, first.time))
}

fn replay(bench: &Bench, order: &Order, heard: &[&Message]) -> anyhow::Result<()> {
    let mut order = order.clone();
    let mut moment = Moment {
        now: order.created_at,
        new_id: &mut ambient::new_id,
    };
    let (mut instance, _) = start(&bench.definition, &mut order, &mut moment)?;
    for message in heard {
        let awaited = instance.awaited.as_ref().map(|awaited| awaited.id);
        let input = Input::Heard(Heard {
            id: message.id,
            answers: message.causation.and(awaited),
            kind: &message.kind,
            body: &message.body,
        });
        black_box(apply(
            &bench.definition,
            &mut instance,
            &mut order,
            input,
            &mut moment,
        )?);
    }
    ensure!(!instance.is_alive(), "the saga did not end as it did");
    Ok(())
}

fn fold(messages: &[&Message]) -> anyhow::Result<()> {
    let mut view: Option<OrderView> = None;
    for message in messages {
        let news = news(message)?;
        match &mut view {
            Some(view) => view.fold(news),
            None => view = Some(OrderView::of(news)),
        }
    }
    black_box(view);
    Ok(())
}
