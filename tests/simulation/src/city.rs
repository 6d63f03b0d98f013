//! One run: what is next happens, until nothing is left to happen.

mod call;
mod consume;
mod people;
mod publish;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use contracts::{
    Currency, CustomerId, MenuItemId, Money, OrderId, PaymentMethodId, RestaurantId, Topic,
};
use customer_service::domain::CustomerState;
use delivery_service::http::{COMPLETE, PICK_UP};
use gateway_simulator::domain::Behaviour;
use messaging::Outgoing;
use payment_service::domain::{Command, Expiry, Method, Outcome, Secret};
use restaurant_service::domain::{MenuItem, Restaurant};
use uuid::Uuid;

use crate::{
    Violation,
    agenda::{Agenda, Moment},
    broker::{Broker, Place},
    defect::Defect,
    dice::Dice,
    ids::Ids,
    judge::{self, End},
    network::Network,
    plan::{Owner, Plan, Thing},
    services::{
        Call, Customers, Deliveries, Kitchens, Orders, Payments, Restaurants, Service, Views,
    },
    witness::Witness,
};

/// A run that takes more than this has not come to rest.
const MOST_EVENTS: usize = 200_000;

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A customer places the order of this story.
    Place(usize),
    /// The customer asks for it to be cancelled.
    Cancel(OrderId),
    /// An operator sends it back.
    SendBack(OrderId),
    /// An operator gives back what was taken for it.
    Refund(OrderId, usize),
    /// An operator has a stuck saga try again.
    Retry(OrderId),
    /// The cook is done.
    Cooked(OrderId, usize),
    /// The courier has it.
    PickedUp(OrderId, usize),
    /// The customer has it.
    Delivered(OrderId, usize),
    /// A relay looks into an outbox.
    Relay(Owner),
    /// A consumer polls a partition.
    Consume(Owner, Place),
    /// The patience with a command may have run out.
    Silence {
        order: OrderId,
        command: Uuid,
        attempt: u32,
    },
    /// A call to the gateway is made.
    Call(OrderId, Uuid),
    /// A call reaches the gateway when nobody waits for it any more.
    ArrivesLate(Box<Call>),
    /// The gateway's answer is committed.
    Settle(OrderId, Command, Outcome),
    /// The view is rebuilt.
    Rebuild,
}

/// What a service has besides its own tables.
#[derive(Debug, Default)]
pub(crate) struct Node {
    outbox: Vec<Outgoing>,
    /// How far the relay has sent.
    sent: usize,
    /// How far the relay has noted that it has sent.
    cursor: usize,
    inbox: BTreeMap<Uuid, Vec<Outgoing>>,
    positions: BTreeMap<(&'static str, usize), usize>,
    /// How far it has come at all: a position may fall back.
    heard: BTreeMap<(&'static str, usize), usize>,
}

/// Everything.
pub(crate) struct City {
    pub(crate) plan: Plan,
    pub(crate) dice: Dice,
    pub(crate) ids: Ids,
    pub(crate) agenda: Agenda<Event>,
    pub(crate) broker: Broker,
    pub(crate) network: Network,
    pub(crate) witness: Witness,
    pub(crate) nodes: BTreeMap<Owner, Node>,
    pub(crate) orders: Orders,
    pub(crate) customers: Customers,
    pub(crate) restaurants: Restaurants,
    pub(crate) payments: Payments,
    pub(crate) kitchens: Kitchens,
    pub(crate) deliveries: Deliveries,
    pub(crate) views: Views,
    /// The orders of the stories.
    pub(crate) placed: BTreeMap<OrderId, usize>,
    /// How often each was asked to be cancelled.
    pub(crate) cancels: BTreeMap<OrderId, usize>,
    /// How often a refund was opened for each that somebody has asked one for.
    pub(crate) refunds: BTreeMap<OrderId, usize>,
    /// Orders that an operator is going to look after.
    pub(crate) stuck: BTreeSet<OrderId>,
    /// What people wait for a step for.
    pub(crate) at_step: BTreeMap<(OrderId, String), Vec<(u64, Event)>>,
    /// Scripted faults that have struck, so often.
    pub(crate) struck: BTreeMap<usize, usize>,
    /// The messages of the scripted conversations.
    pub(crate) scripted: HashMap<Uuid, usize>,
    /// Those that it has struck: it strikes each once, also when it is sent again.
    pub(crate) was_struck: BTreeSet<Uuid>,
    pub(crate) log: Option<Vec<String>>,
}

/// What was seen in a run.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What happened, in so many steps.
    pub events: usize,
    /// How the orders ended.
    pub ends: Vec<End>,
    /// How often each scripted fault has struck.
    pub struck: BTreeMap<usize, usize>,
    /// Everything that happened, a line each, where it was asked for.
    pub log: Vec<String>,
}

/// Runs a plan to its end. With `log`, everything that happens is noted, also up to a violation.
///
/// # Errors
/// A promise was broken: what is noted by then, and which.
pub fn run(plan: &Plan, log: bool) -> Result<Report, (Violation, Vec<String>)> {
    let failed = |at, what: String, log: Option<Vec<String>>| {
        let seed = plan.seed;
        (Violation { seed, at, what }, log.unwrap_or_default())
    };
    let mut city = City::new(plan.clone(), log)
        .map_err(|error| failed(Moment::default(), error.to_string(), None))?;
    let mut events = 0;
    let ended = loop {
        let Some(event) = city.agenda.next() else {
            break judge::at_rest(&city);
        };
        events += 1;
        if events > MOST_EVENTS {
            break Err(format!("it does not come to rest; what is next: {event:?}"));
        }
        if let Err(what) = city.happen(event) {
            break Err(what);
        }
    };
    let now = city.agenda.now();
    match ended {
        Ok(ends) => Ok(Report {
            events,
            ends,
            struck: city.struck,
            log: city.log.unwrap_or_default(),
        }),
        Err(what) => Err(failed(now, what, city.log)),
    }
}

impl City {
    fn new(plan: Plan, log: bool) -> anyhow::Result<Self> {
        let ids = Ids::default();
        let has = |defect| plan.defect == Some(defect);
        let mut views = Views::new();
        views.takes_the_last = has(Defect::ViewGoesBackwards);
        let mut city = Self {
            dice: Dice::new(plan.seed),
            network: Network::new(ids.clone(), has(Defect::FreshGatewayKeys)),
            orders: Orders::new(plan.patience)?,
            payments: Payments {
                no_tombstones: has(Defect::NoTombstone),
                ..Payments::default()
            },
            views,
            ids,
            agenda: Agenda::default(),
            broker: Broker::default(),
            witness: Witness::default(),
            nodes: Owner::ALL
                .into_iter()
                .map(|owner| (owner, Node::default()))
                .collect(),
            customers: Customers::default(),
            restaurants: Restaurants::default(),
            kitchens: Kitchens::default(),
            deliveries: Deliveries::default(),
            placed: BTreeMap::new(),
            cancels: BTreeMap::new(),
            refunds: BTreeMap::new(),
            stuck: BTreeSet::new(),
            at_step: BTreeMap::new(),
            struck: BTreeMap::new(),
            scripted: HashMap::new(),
            was_struck: BTreeSet::new(),
            log: log.then(Vec::new),
            plan,
        };
        city.witness.inboxes_forget = city.plan.weather.forgotten > 0.0;
        city.furnish()?;
        for story in 0..city.plan.stories.len() {
            let at = city.plan.stories[story].at;
            city.agenda.at(at, Event::Place(story));
        }
        Ok(city)
    }

    /// Customers, a restaurant with a dish that can be had and one that cannot, and cards.
    fn furnish(&mut self) -> anyhow::Result<()> {
        let customers = [
            (ACTIVE, CustomerState::Active),
            (SUSPENDED, CustomerState::Suspended),
        ];
        self.customers.customers = customers.into_iter().collect();
        let dish = |menu_item_id, available| {
            anyhow::Ok(MenuItem {
                menu_item_id,
                name: "Soup".to_owned(),
                price: Money::new(PRICE, Currency::EUR)?,
                available,
            })
        };
        let menu = [dish(DISH, true)?, dish(SOLD_OUT, false)?];
        let restaurant = Restaurant {
            restaurant_id: RESTAURANT,
            name: "Inn".to_owned(),
            currency: Currency::EUR,
            minimum_order: None,
            opening_hours: None,
            created_at: Moment::default().time(),
        };
        let menu = menu.into_iter().collect();
        self.restaurants
            .restaurants
            .insert(RESTAURANT, (restaurant, menu));
        for customer_id in [ACTIVE, SUSPENDED] {
            for behaviour in [
                Behaviour::Approves,
                Behaviour::Declines,
                Behaviour::LacksFunds,
            ] {
                let id = card(customer_id, behaviour);
                let method = Method {
                    id,
                    customer_id,
                    token: Secret::new(behaviour.as_str().to_owned()),
                    brand: "visa".to_owned(),
                    last4: "4242".to_owned(),
                    expiry: Expiry {
                        year: 2040,
                        month: 12,
                    },
                };
                self.payments.methods.insert(id, method);
            }
        }
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Place(story) => self.place(story),
            Event::Cancel(order) => self.cancel(order),
            Event::SendBack(order) => self.send_back(order),
            Event::Refund(order, tries) => self.refund(order, tries),
            Event::Retry(order) => self.retry(order),
            Event::Cooked(order, tries) => self.cooked(order, tries),
            Event::PickedUp(order, tries) => self.courier(PICK_UP, order, tries),
            Event::Delivered(order, tries) => self.courier(COMPLETE, order, tries),
            Event::Relay(owner) => self.relay(owner),
            Event::Consume(owner, place) => self.consume(owner, place),
            Event::Silence {
                order,
                command,
                attempt,
            } => self.silence(order, command, attempt),
            Event::Call(order, command) => self.call(order, command),
            Event::ArrivesLate(call) => self.arrives_late(&call),
            Event::Settle(order, command, outcome) => self.settle(order, command, outcome),
            Event::Rebuild => self.rebuild(),
        }
    }

    /// When all of these are there again; `None` when they are there.
    pub(crate) fn away(&self, things: &[Thing]) -> Option<Moment> {
        let now = self.agenda.now();
        let outages = self.plan.outages.iter();
        outages
            .filter(|outage| outage.from <= now && now < outage.until)
            .filter(|outage| things.contains(&outage.thing))
            .map(|outage| outage.until)
            .max()
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        let now = self.agenda.now();
        if let Some(log) = &mut self.log {
            log.push(format!("{now}  {}", line()));
        }
    }

    pub(crate) fn has(&self, defect: Defect) -> bool {
        self.plan.defect == Some(defect)
    }

    pub(crate) fn node(&mut self, owner: Owner) -> &mut Node {
        self.nodes.entry(owner).or_default()
    }

    pub(crate) fn service(&mut self, owner: Owner) -> &mut dyn Service {
        match owner {
            Owner::Orders => &mut self.orders,
            Owner::Customers => &mut self.customers,
            Owner::Restaurants => &mut self.restaurants,
            Owner::Payments => &mut self.payments,
            Owner::Kitchens => &mut self.kitchens,
            Owner::Deliveries => &mut self.deliveries,
            Owner::Views => &mut self.views,
        }
    }

    /// Rebuilds the view: from the beginning of all topics to where it stands, in other tables, which take its place.
    fn rebuild(&mut self) -> Result<(), String> {
        let positions = self.node(Owner::Views).heard.clone();
        let broker = &self.broker;
        let heard = Topic::ALL.iter().flat_map(|topic| {
            let positions = positions
                .iter()
                .filter(move |((name, _), _)| *name == topic.as_str());
            positions.flat_map(move |((_, partition), position)| {
                broker.read((*topic, *partition), 0, *position)
            })
        });
        let rebuilt = self.views.fold(heard).map_err(|fault| fault.to_string())?;
        let same = rebuilt == self.views.views;
        self.note(|| "the view is rebuilt".to_owned());
        match same {
            true => Ok(()),
            false => Err("a view that is rebuilt differs from the one that was grown".to_owned()),
        }
    }
}

pub(crate) const ACTIVE: CustomerId = CustomerId::new(Uuid::from_u128(0xC1));
pub(crate) const SUSPENDED: CustomerId = CustomerId::new(Uuid::from_u128(0xC2));
pub(crate) const RESTAURANT: RestaurantId = RestaurantId::new(Uuid::from_u128(0xE1));
pub(crate) const DISH: MenuItemId = MenuItemId::new(Uuid::from_u128(0xD1));
pub(crate) const SOLD_OUT: MenuItemId = MenuItemId::new(Uuid::from_u128(0xD2));
/// What a dish costs.
pub(crate) const PRICE: i64 = 1_250;

/// The payment method of a customer whose card behaves like this.
pub(crate) fn card(customer: CustomerId, behaviour: Behaviour) -> PaymentMethodId {
    let number = match behaviour {
        Behaviour::Approves | Behaviour::AnswersLate | Behaviour::LosesAnswers => 1,
        Behaviour::Declines => 2,
        Behaviour::LacksFunds => 3,
    };
    PaymentMethodId::new(Uuid::from_u128(customer.uuid().as_u128() << 8 | number))
}
