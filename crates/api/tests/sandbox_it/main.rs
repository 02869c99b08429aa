//! The sandbox's tools over the router, with a store in memory and a clock that stands still.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audio;
mod clock;
mod faults;
mod harness;
mod inbox;
mod magic;
mod pin_reset;
mod seed;
mod turns;
mod whole_state;
