//! Restaurants, their menus, and the tickets that they make of orders. Pure: ids and times come in as values.

mod hours;
mod menu;
mod restaurant;
mod ticket;

pub use hours::{Day, Opening, OpeningHours, TimeOfDay};
pub use menu::{Menu, MenuItem};
pub use restaurant::Restaurant;
pub use ticket::{Beginning, Ticket};
