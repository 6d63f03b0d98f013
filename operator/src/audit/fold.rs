//! view = fold: every record of the topics, folded with the view's own fold, gives what the view holds.
//!
//! Topics are not in the order of the orders, so whole orders are only known at the end of a partition (all topics put an
//! order into the same one). To bound what is held, a partition is read in windows of orders: as many as fit, the lowest
//! ids first, then the next. An id holds the time at which the order was taken, so each window begins to read there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use contracts::OrderId;
use messaging::{Handler, History, Incoming, Interest, history::Offsets};
use order_view::{
    domain::{Latest, OrderView},
    messages::{Folding, news},
    waiters::Waiters,
};
use serde::Serialize;
use uuid::Uuid;

use super::{finding::Finding, read::Sources, rules::FOLD};

/// How many orders are held at once.
const WINDOW: usize = 20_000;

/// With so many suspects nobody needs more.
const MOST: usize = 10_000;

/// How far the clocks of those who take orders and those who stamp records may be apart.
const CLOCKS: TimeDelta = TimeDelta::minutes(10);

/// What was folded.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// The orders whose view is not what the topics say, as it looks so far: with what the topics said when they were folded.
    pub(crate) suspects: BTreeMap<Uuid, OrderView>,
    pub(crate) orders: u64,
    pub(crate) records: u64,
}

/// Some orders of a partition, while records are read.
struct Window {
    after: Uuid,
    /// Orders from here on are for a later window.
    below: Option<Uuid>,
    most: usize,
    views: BTreeMap<Uuid, OrderView>,
    records: u64,
}

impl Window {
    fn hear(&mut self, record: &Incoming) {
        self.records += 1;
        let Some(message) = record.message() else {
            return;
        };
        let key = message.key;
        if key <= self.after || self.below.is_some_and(|below| key >= below) {
            return;
        }
        fold(&mut self.views, record);
        if self.views.len() > self.most
            && let Some((first_left_out, _)) = self.views.pop_last()
        {
            self.below = Some(first_left_out);
        }
    }
}

/// Takes a record in, if the view does.
fn fold(views: &mut BTreeMap<Uuid, OrderView>, record: &Incoming) {
    let Some(message) = record.message() else {
        return;
    };
    let folding = Folding::new(Waiters::default());
    if folding.interest(&message.topic, &message.kind) != Interest::Handle {
        return;
    }
    // What the view cannot read it has parked: that is told elsewhere.
    let Ok(news) = news(message) else { return };
    match views.get_mut(&message.key) {
        Some(view) => view.fold(news),
        None => drop(views.insert(message.key, OrderView::of(news))),
    }
}

/// Folds all topics, from where `history` is, up to these ends and compares each order with the view. Only orders behind
/// `after` are looked at, and all of them were taken after `since`.
///
/// # Errors
/// Kafka or the view's database does not answer.
pub(crate) async fn compare(
    history: &mut History,
    sources: &Sources,
    ends: &Offsets,
    (after, since): (Uuid, Option<DateTime<Utc>>),
    page: usize,
) -> anyhow::Result<Folded> {
    let mut folded = Folded::default();
    let first = history.place().clone();
    let partitions: BTreeSet<i32> = ends.keys().map(|(_, partition)| *partition).collect();
    for partition in partitions {
        let ends = of(ends, partition);
        let mut next = Some(after);
        while let Some(after) = next {
            let from = match moment(after).or(since) {
                Some(moment) => history.since(moment - CLOCKS).await?,
                None => first.clone(),
            };
            let mut window = Window {
                after,
                below: None,
                most: WINDOW,
                views: BTreeMap::new(),
                records: 0,
            };
            history.go_to(of(&from, partition));
            history
                .read_to(&ends, |record| window.hear(&record))
                .await?;
            folded.records += window.records;
            folded.orders += window.views.len() as u64;
            let last = window.views.keys().next_back().copied();
            next = window
                .below
                .and(last)
                .filter(|_| folded.suspects.len() < MOST);
            suspect(&mut folded, window.views, sources, page).await?;
        }
    }
    Ok(folded)
}

async fn suspect(
    folded: &mut Folded,
    views: BTreeMap<Uuid, OrderView>,
    sources: &Sources,
    page: usize,
) -> anyhow::Result<()> {
    let ids: Vec<Uuid> = views.keys().copied().collect();
    let mut views = views;
    for ids in ids.chunks(page) {
        let rows = sources.views(ids).await?;
        for id in ids {
            let Some(view) = views.remove(id) else {
                continue;
            };
            if !differences(rows.get(id), &view, &view).is_empty() {
                folded.suspects.insert(*id, view);
            }
        }
    }
    Ok(())
}

/// Looks at the suspects again, when the view has taken in all that was folded: nothing that came meanwhile may be
/// missing in the topics, and nothing that was folded may be missing in the view.
///
/// # Errors
/// Kafka or the view's database does not answer.
pub(crate) async fn again(
    history: &mut History,
    sources: &Sources,
    before: &Offsets,
    suspects: BTreeMap<Uuid, OrderView>,
    page: usize,
) -> anyhow::Result<Vec<Finding>> {
    let ids: Vec<Uuid> = suspects.keys().copied().collect();
    let mut rows = BTreeMap::new();
    for ids in ids.chunks(page) {
        rows.extend(sources.views(ids).await?);
    }
    // Whatever the rows were made of was there before they were read.
    let now = history.ends().await?;
    let mut later = suspects.clone();
    history.go_to(before.clone());
    let hear = |record: Incoming| {
        let key = record.message().map(|message| message.key);
        if key.is_some_and(|key| later.contains_key(&key)) {
            fold(&mut later, &record);
        }
    };
    history.read_to(&now, hear).await?;
    let mut findings = Vec::new();
    for (id, folded) in &suspects {
        let now = later.get(id).unwrap_or(folded);
        for (expected, found) in differences(rows.get(id), folded, now) {
            findings.push(Finding {
                order: OrderId::new(*id),
                rule: &FOLD,
                expected,
                found,
            });
        }
    }
    Ok(findings)
}

/// In what a view differs from the fold: it must have taken in `before`, and nothing beyond `now`.
fn differences(
    view: Option<&OrderView>,
    before: &OrderView,
    now: &OrderView,
) -> Vec<(String, String)> {
    let Some(view) = view else {
        return vec![("a row in the view".to_owned(), "none".to_owned())];
    };
    let mut differences: Vec<(String, String)> = [
        differ("order", &view.order, &before.order, &now.order),
        differ("ticket", &view.ticket, &before.ticket, &now.ticket),
        differ("payment", &view.payment, &before.payment, &now.payment),
        differ("kitchen", &view.kitchen, &before.kitchen, &now.kitchen),
        differ("delivery", &view.delivery, &before.delivery, &now.delivery),
    ]
    .into_iter()
    .flatten()
    .collect();
    if before == now && differences.is_empty() {
        if view.facts != now.facts {
            differences.push((json(&now.facts), json(&view.facts)));
        }
        // The table keeps microseconds.
        if (view.as_of - now.as_of).abs() > TimeDelta::milliseconds(1) {
            differences.push((
                format!("as of {}", now.as_of),
                format!("as of {}", view.as_of),
            ));
        }
    }
    differences
}

fn differ<T: PartialEq + Serialize>(
    name: &str,
    view: &Latest<T>,
    before: &Latest<T>,
    now: &Latest<T>,
) -> Option<(String, String)> {
    let told = |latest: &Latest<T>| match latest.told() {
        Some(told) => format!("{name} version {}: {}", latest.version(), json(told)),
        None => format!("no {name}"),
    };
    let version = view.version();
    let expected = if version <= before.version() {
        before
    } else if version >= now.version() {
        now
    } else {
        // Something between what was folded before and what is there by now.
        return None;
    };
    (view != expected).then(|| (told(expected), told(view)))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| error.to_string())
}

fn of(offsets: &Offsets, partition: i32) -> Offsets {
    let here = offsets.iter().filter(|((_, it), _)| *it == partition);
    here.map(|(at, offset)| (at.clone(), *offset)).collect()
}

/// The time that an id was made at.
fn moment(id: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
}

#[cfg(test)]
mod tests {
    use contracts::OrderState;
    use messaging::Message;
    use order_view::domain::OrderTold;
    use serde_json::json;

    use super::*;

    fn changed(order: u128, version: i64, state: &str) -> Incoming {
        let id = Uuid::from_u128(order);
        let message = Message {
            id: Uuid::from_u128(1),
            kind: "ORDER_PREPARING".to_owned(),
            source: "/test".to_owned(),
            key: id,
            time: DateTime::UNIX_EPOCH,
            sequence: version,
            causation: None,
            trace: None,
            topic: "order-ticket".to_owned(),
            partition: 0,
            offset: 0,
            body: json!({ "orderId": id, "state": state }).to_string(),
        };
        message.into()
    }

    fn folded(records: &[Incoming]) -> OrderView {
        let mut views = BTreeMap::new();
        for record in records {
            fold(&mut views, record);
        }
        views.pop_first().unwrap().1
    }

    #[test]
    fn windows_together_hold_every_order_once_whatever_the_order_of_the_records() {
        let keys = [5, 3, 9, 1, 7, 3, 8, 2, 6, 4, 9, 1];
        let records: Vec<Incoming> = keys.map(|key| changed(key, 1, "ACCEPTED")).to_vec();
        for most in 1..=10 {
            let (mut seen, mut next) = (Vec::new(), Some(Uuid::nil()));
            while let Some(after) = next {
                let views = BTreeMap::new();
                let mut window = Window {
                    after,
                    below: None,
                    most,
                    views,
                    records: 0,
                };
                records.iter().for_each(|record| window.hear(record));
                assert!(window.views.len() <= most);
                next = window.below.and(window.views.keys().next_back().copied());
                seen.extend(window.views.into_keys());
            }
            assert_eq!(
                seen,
                (1..=9).map(Uuid::from_u128).collect::<Vec<_>>(),
                "{most}"
            );
        }
    }

    #[test]
    fn a_view_that_holds_what_was_told_is_right() {
        let told = [changed(1, 1, "PENDING"), changed(1, 2, "ACCEPTED")];
        let fold = folded(&told);
        assert_eq!(differences(Some(&fold), &fold, &fold), []);
    }

    #[test]
    fn a_view_that_misses_invents_or_changes_something_is_wrong() {
        let told = [1, 2, 3].map(|version| changed(1, version, "ACCEPTED"));
        let (less, right) = (folded(&told[..1]), folded(&told[..2]));
        let more = folded(&told);
        assert_eq!(differences(None, &right, &right).len(), 1);
        assert_eq!(differences(Some(&less), &right, &right).len(), 1);
        assert_eq!(differences(Some(&more), &right, &right).len(), 1);
        let mut other = right.clone();
        let state = OrderState::Complete;
        let at = DateTime::UNIX_EPOCH;
        other.order = Latest::new(
            2,
            OrderTold {
                state,
                at,
                rejection: None,
            },
        );
        assert_eq!(differences(Some(&other), &right, &right).len(), 1);
        let mut facts = right.clone();
        facts.facts.customer_id = Some(Uuid::from_u128(7).into());
        assert_eq!(differences(Some(&facts), &right, &right).len(), 1);
    }

    #[test]
    fn what_was_told_meanwhile_may_be_there_or_not() {
        let told = [1, 2, 3, 4].map(|version| changed(1, version, "ACCEPTED"));
        let views = [1, 2, 3, 4].map(|count| folded(&told[..count]));
        let [missing, before, between, now] = &views;
        for fine in [before, between, now] {
            assert_eq!(differences(Some(fine), before, now), []);
        }
        assert_eq!(differences(Some(missing), before, now).len(), 1);
        assert_eq!(differences(Some(now), before, between).len(), 1);
    }
}
