//! Rehearsed trouble: magic numbers, and faults that are switched on for a while.
//!
//! A fault set by hand comes first; where it lets the occasion proceed, a magic number has its say.

mod fault;
pub(super) mod magic;

use std::sync::{PoisonError, RwLock};

use registration::Refusal;
use service::explain::examples;
use service::ports::{Ending, Occasion, Rehearsal, Twist};

pub use fault::{Effect, Fault, Tally};

/// What the sandbox may do to a request before it starts.
#[derive(Debug, Default)]
pub struct SandboxRehearsal {
    faults: RwLock<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    last_id: u64,
    armed: Vec<fault::Armed>,
}

impl SandboxRehearsal {
    /// Switches a fault on and returns its id. Faults act in the order in which they were added.
    pub fn add(&self, fault: Fault) -> u64 {
        let mut faults = self.faults.write().unwrap_or_else(PoisonError::into_inner);
        faults.last_id += 1;
        let id = faults.last_id;
        faults.armed.push(fault::Armed::new(id, fault));
        id
    }

    /// All faults and what they have done so far, in the order of their ids.
    #[must_use]
    pub fn list(&self) -> Vec<(u64, Fault, Tally)> {
        let faults = self.faults.read().unwrap_or_else(PoisonError::into_inner);
        faults.armed.iter().map(fault::Armed::show).collect()
    }

    /// Switches a fault off; `false` if there is none with this id.
    pub fn remove(&self, id: u64) -> bool {
        let mut faults = self.faults.write().unwrap_or_else(PoisonError::into_inner);
        let before = faults.armed.len();
        faults.armed.retain(|armed| armed.id() != id);
        faults.armed.len() < before
    }

    /// Switches all faults off; ids begin anew.
    pub fn clear(&self) {
        *self.faults.write().unwrap_or_else(PoisonError::into_inner) = Faults::default();
    }
}

impl Rehearsal for SandboxRehearsal {
    fn twist(&self, occasion: &Occasion<'_>) -> Twist {
        let mut twist = Twist::NONE;
        for armed in &self.faults.read().unwrap_or_else(PoisonError::into_inner).armed {
            let Some(fault) = armed.strikes(occasion) else { continue };
            twist.pause += fault.latency;
            twist.ending = ending(fault.effect, occasion);
            if twist.ending != Ending::Proceed {
                return twist;
            }
        }
        if let Some(effect) = magic::effect(occasion) {
            twist.ending = ending(effect, occasion);
        }
        twist
    }
}

/// An effect on this occasion.
fn ending(effect: Effect, occasion: &Occasion<'_>) -> Ending {
    match effect {
        Effect::None => Ending::Proceed,
        Effect::Refusal(id) => refusal(id, occasion).map_or(Ending::Proceed, Ending::Refuse),
        Effect::Unavailable => Ending::Unavailable,
        Effect::Drop => Ending::Drop,
    }
}

/// The refusal of this kind as the rules would give it on this occasion.
fn refusal(id: &str, occasion: &Occasion<'_>) -> Option<Refusal> {
    let example = examples(occasion.now).into_iter().find(|refusal| refusal.id() == id)?;
    let mut refusal = example;
    if let (
        Refusal::CodeTooSoon { method, .. } | Refusal::ChannelImpossible { method, .. },
        Some(asked),
    ) = (&mut refusal, occasion.method)
    {
        *method = asked;
    }
    Some(refusal)
}
