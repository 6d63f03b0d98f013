//! What is going to happen in a run: who orders what and how, and what goes wrong. All of it follows from the seed.

use std::time::Duration;

use gateway_simulator::domain::Behaviour;
use order_service::saga::VERSION;
use saga::Policy;

use crate::{agenda::Moment, defect::Defect, dice::Dice};

/// Who has a database, an outbox, and a group of consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// order-service
    Orders,
    /// customer-service
    Customers,
    /// restaurant-service
    Restaurants,
    /// payment-service
    Payments,
    /// kitchen-service
    Kitchens,
    /// delivery-service
    Deliveries,
    /// order-view
    Views,
}

impl Owner {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Orders,
        Self::Customers,
        Self::Restaurants,
        Self::Payments,
        Self::Kitchens,
        Self::Deliveries,
        Self::Views,
    ];
}

/// What can be away for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// All instances of a service.
    Service(Owner),
    /// The relay of one database.
    Relay(Owner),
    /// The server of all databases.
    Postgres,
    /// The broker.
    Kafka,
    /// The payment gateway.
    Gateway,
}

/// A while in which something is away: killed, paused, cut off. It comes back as it was.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    /// What.
    pub thing: Thing,
    /// Since when.
    pub from: Moment,
    /// Until when.
    pub until: Moment,
}

/// When somebody does something about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// So many milliseconds after it was placed.
    After(u64),
    /// So many milliseconds after its saga has come to this step.
    AtStep(String, u64),
}

/// One order, and what the people around it do.
#[derive(Debug, Clone)]
pub struct Story {
    /// When it is placed.
    pub at: Moment,
    /// The version of the saga's definition that it begins with: a former one, where it was placed before an upgrade.
    pub version: u32,
    /// Whether the customer may order.
    pub customer_is_active: bool,
    /// Whether the restaurant has the dish.
    pub dish_is_available: bool,
    /// What the card does.
    pub card: Behaviour,
    /// When the customer asks for it to be cancelled; nobody hinders them from asking twice.
    pub cancels: Vec<When>,
    /// When an operator gives back what was taken for it; asked for twice, it is one refund.
    pub refunds: Vec<When>,
    /// When an operator sends it back.
    pub sent_back: Option<When>,
    /// How long cook and courier take, in milliseconds: at least, and at most.
    pub hands: (u64, u64),
}

impl Default for Story {
    /// An order to which nothing special happens.
    fn default() -> Self {
        Self {
            at: Moment::default(),
            version: VERSION,
            customer_is_active: true,
            dish_is_available: true,
            card: Behaviour::Approves,
            cancels: Vec::new(),
            refunds: Vec::new(),
            sent_back: None,
            hands: (0, 100),
        }
    }
}

/// How likely it is that something goes wrong, each time that it could.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// A consumer dies before it commits a batch.
    pub crash_before_commit: f64,
    /// A consumer dies, or loses its connection, after the commit and before it has stored the offset.
    pub crash_after_commit: f64,
    /// A consumer that takes over a partition begins far behind.
    pub rewind: f64,
    /// A relay dies after producing, or an old owner wakes up: what was sent is sent again.
    pub sent_again: f64,
    /// A partition is fetched, or a relay is woken, much later than usual.
    pub slow: f64,
    /// How much later, at most, in milliseconds.
    pub slowest: u64,
    /// The inbox has forgotten a message when it comes again.
    pub forgotten: f64,
    /// A call to the gateway gets lost, its answer gets lost, or it arrives long after it was given up.
    pub bad_line: f64,
    /// Two instances make the same call.
    pub called_twice: f64,
    /// The view is rebuilt from the topics.
    pub rebuilt: f64,
    /// An answer never reaches order-service.
    pub answer_lost: f64,
}

/// Something that goes wrong with one conversation, for the matrix of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The first answer is lost on its way.
    ReplyLost,
    /// Command and answer come twice.
    Duplicated,
    /// The command is taken up after the first deadline.
    Late,
    /// The command is taken up when all attempts have passed.
    Silent,
    /// Whoever handles the command, and the answer, dies before the commit.
    CrashBeforeCommit,
    /// Whoever handles the command, and the answer, dies after the commit.
    CrashAfterCommit,
}

/// A fault, and the conversation that it strikes.
#[derive(Debug, Clone)]
pub struct Scripted {
    /// The topic of the command.
    pub topic: String,
    /// The kind of the command.
    pub kind: String,
    /// What goes wrong.
    pub fault: Fault,
}

/// Everything about a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What all chance follows from.
    pub seed: u64,
    /// Who orders.
    pub stories: Vec<Story>,
    /// What goes wrong by chance.
    pub weather: Weather,
    /// What is away, and when.
    pub outages: Vec<Outage>,
    /// What goes wrong for certain.
    pub scripted: Vec<Scripted>,
    /// How patient orders are.
    pub patience: Policy,
    /// What is wrong with the system itself.
    pub defect: Option<Defect>,
}

impl Plan {
    /// A run in which nothing goes wrong.
    #[must_use]
    pub fn calm(seed: u64, stories: Vec<Story>) -> Self {
        Self {
            seed,
            stories,
            weather: Weather::default(),
            outages: Vec::new(),
            scripted: Vec::new(),
            patience: Policy {
                attempts: 3,
                ..Policy::default()
            },
            defect: None,
        }
    }

    /// The run of this seed: some orders, and whatever may go wrong.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let dice = &mut Dice::new(seed);
        let mut plan = Self::calm(seed, Vec::new());
        plan.patience = Policy {
            deadline: Duration::from_secs(dice.within(2..=10)),
            attempts: u32::try_from(dice.within(3..=5)).unwrap_or(3),
            ..plan.patience
        };
        // In every fourth run only the way of the commands is broken: then nobody may seem silent.
        match seed.is_multiple_of(4) {
            true => plan.outages = outages(dice, &[Thing::Kafka, Thing::Relay(Owner::Orders)], 2),
            false => {
                plan.weather = weather(dice);
                let services = Owner::ALL.map(Thing::Service);
                let relays = Owner::ALL.map(Thing::Relay);
                let things: Vec<Thing> = [Thing::Postgres, Thing::Kafka, Thing::Gateway]
                    .into_iter()
                    .chain(services)
                    .chain(relays)
                    .collect();
                plan.outages = outages(dice, &things, 4);
            }
        }
        plan.stories = (0..dice.within(1..=4)).map(|_| story(dice)).collect();
        plan
    }

    /// Whether nothing keeps a participant from answering in time.
    #[must_use]
    pub fn everybody_answers(&self) -> bool {
        let on_the_way =
            |outage: &Outage| matches!(outage.thing, Thing::Kafka | Thing::Relay(Owner::Orders));
        self.scripted.is_empty()
            && self.weather.slow == 0.0
            && self.weather.bad_line == 0.0
            && self.weather.answer_lost == 0.0
            && self.outages.iter().all(on_the_way)
    }
}

fn outages(dice: &mut Dice, things: &[Thing], most: u64) -> Vec<Outage> {
    (0..dice.within(0..=most))
        .map(|_| {
            let from = Moment(dice.within(0..=60_000));
            // Most are short; some outlast everybody's patience.
            let longest = dice.one_of(&[500, 5_000, 20_000, 400_000], 5_000);
            Outage {
                thing: dice.one_of(things, Thing::Kafka),
                from,
                until: from.after(dice.within(10..=longest)),
            }
        })
        .collect()
}

fn weather(dice: &mut Dice) -> Weather {
    let mut sometimes = |most: f64| match dice.chance(0.5) {
        true => most * f64::from(u32::try_from(dice.within(1..=100)).unwrap_or(1)) / 100.0,
        false => 0.0,
    };
    Weather {
        crash_before_commit: sometimes(0.2),
        crash_after_commit: sometimes(0.2),
        rewind: sometimes(0.1),
        sent_again: sometimes(0.3),
        slow: sometimes(0.1),
        forgotten: sometimes(0.5),
        bad_line: sometimes(0.4),
        called_twice: sometimes(0.3),
        rebuilt: sometimes(0.02),
        answer_lost: sometimes(0.05),
        slowest: dice.one_of(&[200, 3_000, 30_000], 3_000),
    }
}

fn story(dice: &mut Dice) -> Story {
    let mut story = Story {
        at: Moment(dice.within(0..=10_000)),
        hands: (0, dice.one_of(&[1, 50, 5_000, 60_000], 50)),
        ..Story::default()
    };
    match dice.within(0..=9) {
        0 => story.customer_is_active = false,
        1 => story.dish_is_available = false,
        2 => story.card = Behaviour::Declines,
        3 => story.card = Behaviour::LacksFunds,
        _ => {}
    }
    if dice.chance(0.25) {
        story.version = u32::try_from(dice.within(1..=u64::from(VERSION))).unwrap_or(VERSION);
    }
    if dice.chance(0.4) {
        story.cancels = (0..dice.within(1..=2)).map(|_| when(dice)).collect();
    }
    if dice.chance(0.2) {
        story.refunds = (0..dice.within(1..=2)).map(|_| when(dice)).collect();
    }
    if dice.chance(0.05) {
        story.sent_back = Some(when(dice));
    }
    story
}

fn when(dice: &mut Dice) -> When {
    // An undisturbed order is PREPARING after some tenths of a second.
    let latest = dice.one_of(&[20, 300, 2_000, 60_000], 300);
    When::After(dice.within(0..=latest))
}
