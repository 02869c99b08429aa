//! The rules of registration, one by one (tables) and all at once (properties).
//!
//! A table plays rows of *second, command, answer* on one number; see [`stage`]. A property plays random
//! rows and watches that the [`invariants`] hold after each.

mod answers;
mod asks;
mod history;
mod invariants;
mod random;
mod stage;
mod upstream;
mod vague;

mod channels;
mod clock;
mod codes;
mod destinations;
mod guesses;
mod migrations;
mod moves;
mod names;
mod pin;
mod properties;
mod register;
mod sends;
mod tenants;
