//! Seeded simulation of the production rules under faults.
//!
//! Two nodes run the real service on one store. Tenants add, verify, register, move and give up the same
//! few numbers; calls are doubled, given up and cut off by crashes; the store and the provider fail
//! before or after they acted; the clock jumps both ways; keys rotate. After every step the [`checker`]
//! compares what happened behind the ports with the invariants of the product.
//!
//! Everything follows from one seed: tasks run on one thread and wait at a [`gate`] before and behind
//! each effect, where the seed picks who goes on. A paused runtime tells when all of them wait. So a
//! violation comes with the seed and the step, and the same command shows it again.
//!
//! What the simulation does not look at: the dialects and their wire forms, the SQL stores (they pass
//! the same contract as the store in memory), signed requests (I8).

pub mod chance;
pub mod checker;
mod choose;
pub mod delivery;
pub mod faults;
pub mod gate;
pub mod journal;
pub mod run;
pub mod sabotage;
pub mod store;
pub mod tenants;
pub mod workload;
pub mod world;
