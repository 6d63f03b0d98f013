use std::collections::BTreeMap;

use contracts::{OrderId, Topic};
use messaging::{Fault, Interest, Message, Outgoing, Stamp};
use order_view::{
    NAME,
    domain::OrderView,
    messages::{Folding, news},
    waiters::Waiters,
};

use super::Service;

pub(crate) struct Views {
    handler: Folding,
    pub(crate) views: BTreeMap<OrderId, OrderView>,
    /// An order that was told of at a lower version than before.
    pub(crate) went_back: Option<OrderId>,
    /// See [`Defect::ViewGoesBackwards`](crate::Defect::ViewGoesBackwards).
    pub(crate) takes_the_last: bool,
}

/// The versions of all aggregates that a view tells of.
pub(crate) fn versions(view: &OrderView) -> [i64; 5] {
    [
        view.order.version(),
        view.ticket.version(),
        view.payment.version(),
        view.kitchen.version(),
        view.delivery.version(),
    ]
}

impl Views {
    pub(crate) fn new() -> Self {
        Self {
            handler: Folding::new(Waiters::default()),
            views: BTreeMap::new(),
            went_back: None,
            takes_the_last: false,
        }
    }

    /// A view from nothing but these messages.
    pub(crate) fn fold<'a>(
        &self,
        messages: impl IntoIterator<Item = &'a Message>,
    ) -> Result<BTreeMap<OrderId, OrderView>, Fault> {
        let mut views = BTreeMap::new();
        for message in messages {
            if self.interest(message) == Interest::Handle {
                take(&mut views, message)?;
            }
        }
        Ok(views)
    }
}

fn take(views: &mut BTreeMap<OrderId, OrderView>, message: &Message) -> Result<(), Fault> {
    let news = news(message)?;
    match views.get_mut(&news.order_id) {
        Some(view) => view.fold(news),
        None => drop(views.insert(news.order_id, OrderView::of(news))),
    }
    Ok(())
}

impl Service for Views {
    fn name(&self) -> &'static str {
        NAME
    }

    fn topics(&self) -> &'static [Topic] {
        &[
            Topic::OrderCustomer,
            Topic::OrderTicket,
            Topic::OrderPayment,
            Topic::OrderKitchen,
            Topic::OrderReply,
        ]
    }

    fn interest(&self, message: &Message) -> Interest {
        messaging::Handler::interest(&self.handler, &message.topic, &message.kind)
    }

    fn remembers(&self) -> bool {
        false
    }

    fn decide(&mut self, message: &Message, _: &mut Stamp) -> Result<Vec<Outgoing>, Fault> {
        let order = OrderId::new(message.key);
        let before = self.views.get(&order).map(versions).unwrap_or_default();
        if self.takes_the_last {
            self.views.insert(order, OrderView::of(news(message)?));
        } else {
            take(&mut self.views, message)?;
        }
        let after = self.views.get(&order).map(versions).unwrap_or_default();
        if before
            .iter()
            .zip(&after)
            .any(|(before, after)| after < before)
        {
            self.went_back = Some(order);
        }
        Ok(Vec::new())
    }
}
