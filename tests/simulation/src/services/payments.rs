use std::collections::{BTreeMap, HashMap};

use contracts::{AuthorisePayment, Illegal, Kind, OrderId, PaymentMethodId, PaymentState, Topic};
use futures_util::FutureExt;
use messaging::{Fault, Interest, Message, Outgoing, Stamp};
use payment_service::{
    NAME,
    domain::{Command, Intent, Method, Outcome, Payment, Secret, Unsettled},
    gateway::{Failure, Gateway},
    messages::{decide, write_reply},
    store::{Loaded, Row},
    worker::ask,
};

use super::Service;

/// A call to the gateway, as the payment was when it was made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) payment: Payment,
    pub(crate) command: Command,
    token: Option<Secret>,
}

impl Call {
    /// Asks the gateway, which answers at once or not at all.
    pub(crate) fn ask(&self, gateway: &dyn Gateway) -> Result<Outcome, Failure> {
        ask(gateway, &self.payment, self.token.as_ref(), self.command)
            .now_or_never()
            .unwrap_or_else(|| Err(Failure::Away("no answer".to_owned())))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Payments {
    pub(crate) methods: HashMap<PaymentMethodId, Method>,
    pub(crate) payments: BTreeMap<OrderId, Payment>,
    /// Calls that were opened by decisions and are to be made.
    pub(crate) opened: Vec<OrderId>,
    /// See [`Defect::NoTombstone`](crate::Defect::NoTombstone).
    pub(crate) no_tombstones: bool,
}

impl Payments {
    /// The open call of an order's payment.
    pub(crate) fn call(&self, order: OrderId) -> Option<Call> {
        let payment = self.payments.get(&order)?;
        let method = payment.terms.map(|terms| terms.payment_method_id);
        let method = method.and_then(|method| self.methods.get(&method));
        Some(Call {
            command: payment.call?,
            token: method.map(|method| method.token.clone()),
            payment: payment.clone(),
        })
    }

    /// Takes an answer of the gateway.
    pub(crate) fn settle(
        &mut self,
        order: OrderId,
        command: Command,
        outcome: Outcome,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Unsettled> {
        let Some(payment) = self.payments.get_mut(&order) else {
            return Err(Unsettled::NotOpen);
        };
        let answers = payment.settle(command.id, outcome, stamp)?;
        if payment.call.is_some() {
            self.opened.push(order);
        }
        let replies = answers.iter().map(|answer| write_reply(payment, answer));
        let replies = replies.filter_map(Result::ok).collect();
        self.bury();
        Ok(replies)
    }

    /// An operator gives back what was taken. Gives what is said at once, or that it is the refund that was asked for before.
    /// `None`: there is no payment.
    pub(crate) fn refund(
        &mut self,
        order: OrderId,
        stamp: &mut Stamp,
    ) -> Option<Result<Option<Vec<Outgoing>>, Illegal>> {
        let payment = self.payments.get_mut(&order)?;
        let before = payment.call;
        let command = Command {
            id: stamp.new_id(),
            intent: Intent::Refund,
            trace: None,
        };
        let opened = payment.refund(command, stamp);
        if payment.call.is_some() && payment.call != before {
            self.opened.push(order);
        }
        let write = |answers: Vec<_>| {
            let replies = answers.iter().map(|answer| write_reply(payment, answer));
            replies.filter_map(Result::ok).collect()
        };
        Some(opened.map(|opened| opened.map(write)))
    }

    fn bury(&mut self) {
        if self.no_tombstones {
            self.payments
                .retain(|_, payment| payment.state != PaymentState::Voided);
        }
    }
}

impl Service for Payments {
    fn name(&self) -> &'static str {
        NAME
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::OrderPayment]
    }

    fn interest(&self, message: &Message) -> Interest {
        // The handler itself needs the worker's hand to be made; it says the same of this topic.
        match message.kind.parse() {
            Ok(
                Kind::OrderCreated | Kind::OrderReady | Kind::OrderRejected | Kind::OrderCancelled,
            ) => Interest::Handle,
            _ => Interest::Unknown,
        }
    }

    fn remembers(&self) -> bool {
        false
    }

    fn decide(&mut self, message: &Message, stamp: &mut Stamp) -> Result<Vec<Outgoing>, Fault> {
        let order = OrderId::new(message.key);
        let known = self.payments.get(&order).cloned();
        let method = message.decode::<AuthorisePayment>().ok();
        let method = method.and_then(|body| self.methods.get(&body.payment_method_id));
        let mut world = Loaded {
            payments: known
                .map(|payment| (order, Row::new(payment)))
                .into_iter()
                .collect(),
            methods: method
                .map(|method| (method.id, method.clone()))
                .into_iter()
                .collect(),
        };
        let before = self.payments.get(&order).and_then(|payment| payment.call);
        let said = decide(&mut world, message, stamp)?;
        for row in world.payments.into_values() {
            let payment = row.payment;
            if payment.call.is_some() && payment.call != before {
                self.opened.push(order);
            }
            self.payments.insert(order, payment);
        }
        self.bury();
        Ok(said)
    }
}
