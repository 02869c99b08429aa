//! The rules of registration, row by row.
//!
//! A table plays rows of *second, command, answer* on one number; see [`stage`].

mod answers;
mod asks;
mod stage;

mod channels;
mod clock;
mod codes;
mod guesses;
mod moves;
mod pin;
mod register;
mod sends;
mod tenants;
