//! What the people around an order have in mind: a value that seed and number decide.

use std::time::Duration;

/// What is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basket {
    /// It can be cooked and paid.
    Good,
    /// Its card is declined.
    Declined,
    /// It asks for a dish that nobody has.
    Unknown,
}

/// One order's story, as far as people decide it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Intention {
    pub(crate) basket: Basket,
    pub(crate) quantity: u32,
    /// The request is sent twice at once, with the same key.
    pub(crate) impatient: bool,
    /// When the customer thinks better of it, after the answer; nobody waits for the others.
    pub(crate) cancels: Vec<Duration>,
    /// The customer thinks better of it in the moment in which the cook is ready.
    pub(crate) races: bool,
    /// Cook and courier say everything twice.
    pub(crate) repeats: bool,
    /// The courier says that it is delivered right behind that it is picked up, whatever others know by then: two messages
    /// of which none waits for the other.
    pub(crate) hurries: bool,
    /// How long cook and courier take.
    pub(crate) work: Duration,
}

/// The intention behind order `number` of a run.
pub(crate) fn intention(seed: u64, number: u64) -> Intention {
    let mut dice = fastrand::Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(number));
    let mut moment = |until: u64| Duration::from_millis(dice.u64(..until));
    let (work, first, second) = (moment(1_500), moment(4_000), moment(4_000));
    let cancels = match dice.u32(..100) {
        0..12 => vec![first],
        12..18 => vec![first, second],
        _ => Vec::new(),
    };
    Intention {
        basket: match dice.u32(..100) {
            0..10 => Basket::Declined,
            10..15 => Basket::Unknown,
            _ => Basket::Good,
        },
        quantity: dice.u32(1..=5),
        impatient: dice.u32(..100) < 10,
        races: cancels.is_empty() && dice.u32(..100) < 8,
        repeats: dice.u32(..100) < 15,
        hurries: dice.u32(..100) < 50,
        cancels,
        work,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_and_number_decide_everything() {
        assert_eq!(intention(1, 2), intention(1, 2));
        assert_ne!(intention(1, 2), intention(1, 3));
        assert_ne!(intention(1, 2), intention(2, 2));
    }

    #[test]
    fn most_orders_are_good_and_every_kind_of_trouble_occurs() {
        let all: Vec<Intention> = (0..1_000).map(|number| intention(1, number)).collect();
        let share = |kind: fn(&Intention) -> bool| all.iter().filter(|one| kind(one)).count();
        assert!(share(|one| one.basket == Basket::Good) > 700);
        assert!(share(|one| one.basket == Basket::Declined) > 50);
        assert!(share(|one| one.basket == Basket::Unknown) > 20);
        assert!(share(|one| one.cancels.len() == 1) > 50);
        assert!(share(|one| one.cancels.len() == 2) > 20);
        assert!(share(|one| one.races) > 20);
        assert!(share(|one| one.impatient) > 50);
        assert!(share(|one| one.repeats) > 50);
        assert!(share(|one| one.hurries) > 300);
    }
}
