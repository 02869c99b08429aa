//! The sandbox's tools over the router, with a store in memory and a clock that stands still.

mod clock;
mod faults;
mod harness;
mod inbox;
mod magic;
