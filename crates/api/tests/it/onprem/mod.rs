//! The On-Premises dialect: rows of its reference as data, bad input, concurrent changes.

mod certificates;
mod input;
mod settings;
mod stage;
mod table;
mod token;
