//! The world: two nodes on one store, one clock, one provider.

use core::time::Duration;
use std::sync::Arc;

use registration::Limits;
use service::hashing::{HashCost, Hasher};
use service::keys::{KeyRing, MasterKeys};
use service::ports::{Entropy, NoRehearsal};
use service::testing::{ManualClock, SeededEntropy};
use service::{Allowance, Caller, Policy, Ports, Service, ServiceError};

use crate::chance::Chance;
use crate::delivery::SimDelivery;
use crate::faults::Faults;
use crate::gate::Gate;
use crate::journal::Journal;
use crate::sabotage::Sabotage;
use crate::store::SimStore;
use crate::tenants::Tenants;

/// How many processes serve at the same time.
pub const NODES: usize = 2;

/// Everything that the production code runs on.
pub struct World {
    /// The one clock.
    pub clock: Arc<ManualClock>,
    /// The store that survives crashes.
    pub store: Arc<SimStore>,
    /// Where calls wait for their turn.
    pub gate: Arc<Gate>,
    /// What goes wrong.
    pub faults: Arc<Faults>,
    /// What happened.
    pub journal: Arc<Journal>,
    /// The keys of all nodes.
    pub keys: KeyRing,
    /// The settings of all nodes.
    pub policy: Policy,
    /// Who takes part.
    pub tenants: Tenants,
    nodes: Vec<Arc<Service>>,
    delivery: Arc<SimDelivery>,
    entropy: Arc<dyn Entropy>,
    master: MasterKeys,
}

impl World {
    /// A world that follows from its seed, with a directory and no number yet. Every other seed has
    /// limits so small that a run meets all of them.
    pub async fn new(seed: u64, sabotage: Sabotage) -> Result<Self, ServiceError> {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        let master = MasterKeys::generate(&*entropy);
        let (gate, journal) = (Arc::<Gate>::default(), Arc::<Journal>::default());
        let faults = Arc::new(Faults::new(Chance::new(seed.rotate_left(32))));
        let of = (Arc::clone(&gate), Arc::clone(&faults), Arc::clone(&journal));
        let delivery = SimDelivery::new(of.0, of.1, of.2, sabotage);
        let of = (Arc::clone(&gate), Arc::clone(&faults), Arc::clone(&journal));
        let store = SimStore::new(of.0, of.1, of.2, sabotage);
        let mut world = Self {
            clock: Arc::new(ManualClock::default()),
            store: Arc::new(store),
            gate,
            faults,
            journal,
            keys: KeyRing::new(&master),
            policy: policy(seed),
            tenants: Tenants::new(),
            nodes: Vec::new(),
            delivery: Arc::new(delivery),
            entropy,
            master,
        };
        for _ in 0..NODES {
            let node = world.start().await?;
            world.nodes.push(node);
        }
        for entity in world.tenants.entities() {
            world.nodes[0].add_entity(&Caller::operator(), entity).await?;
        }
        world.gate.close();
        Ok(world)
    }

    /// One of the nodes.
    #[must_use]
    pub fn node(&self, node: usize) -> &Arc<Service> {
        &self.nodes[node % NODES]
    }

    /// Puts a new process in the place of a node, with nothing of the old one but what is stored. Whoever
    /// works for the old one must have been stopped before.
    pub async fn restart(&mut self, node: usize) -> Result<(), ServiceError> {
        self.nodes[node % NODES] = self.start().await?;
        Ok(())
    }

    /// Adds a key; what was made with the old ones stays good.
    pub fn rotate_keys(&mut self) {
        self.master = self.master.rotated(&*self.entropy);
        self.keys.replace(&self.master);
    }

    async fn start(&self) -> Result<Arc<Service>, ServiceError> {
        let ports = Ports {
            store: self.store.clone(),
            clock: self.clock.clone(),
            entropy: Arc::clone(&self.entropy),
            delivery: self.delivery.clone(),
            rehearsal: Arc::new(NoRehearsal),
        };
        // One core: two hashes at once would finish in an order that no seed decides.
        let entropy = Arc::clone(&self.entropy);
        let hasher =
            Hasher::new(self.keys.clone(), entropy, HashCost::CHEAPEST, 1, Hasher::QUEUE_DEFAULT);
        let service = Service::new(ports, self.keys.clone(), hasher, self.policy.clone());
        service.resume_ledger().await?;
        Ok(Arc::new(service))
    }
}

fn policy(seed: u64) -> Policy {
    // Of three seeds two have an operator who looks at names.
    let review_names = !seed.is_multiple_of(3);
    if seed.is_multiple_of(2) {
        return Policy { review_names, ..Policy::default() };
    }
    let minutes = Duration::from_mins;
    let seconds = Duration::from_secs;
    let limits = Limits {
        guess_waits: [0, 0, 20].map(seconds).to_vec(),
        failed_guesses_max: 6,
        failed_guesses_window: minutes(30),
        failed_in_a_row_max: 5,
        sms_waits: [0, 20].map(seconds).to_vec(),
        voice_waits: [20, 20].map(seconds).to_vec(),
        ladder_restart: minutes(15),
        register_calls_max: 2,
        register_window: minutes(15),
        pin_failures_max: 2,
        pin_lock: minutes(10),
        verified_idle: minutes(30),
        ..Limits::default()
    };
    let country_sends = Allowance { burst: 4, interval: Duration::from_secs(30) };
    let certificate_lifetime = minutes(30);
    Policy { limits, country_sends, review_names, certificate_lifetime, ..Policy::default() }
}
