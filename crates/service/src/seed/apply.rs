//! Applying a seed: hash once, then load, draft and commit in one unit.

use std::collections::{BTreeMap, HashMap};

use registration::{ClientId, NumberRecord, PhoneNumber, PinVerifier, Timestamp};
use serde_json::json;

use super::{SecretText, Seed};
use crate::caller::Caller;
use crate::error::{ServiceError, Unavailable};
use crate::ports::{CommitError, NumberWrite, Subject, Unit, Version};
use crate::service::{Service, committed};

/// Tries before a seed gives up because requests keep changing what it names.
const ATTEMPTS_MAX: u32 = 16;

/// First password of a client that brings none; must be changed, as in the original.
pub const FIRST_PASSWORD: &str = "secret";

/// A seed whose passwords and PINs are hashed, so that applying it again costs no hash.
#[derive(Clone)]
pub struct PreparedSeed {
    seed: Seed,
    /// By client; [`FIRST_PASSWORD`] for those that bring none.
    pub(super) passwords: HashMap<ClientId, String>,
    pub(super) pins: HashMap<PhoneNumber, PinVerifier>,
}

/// What became of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seeded {
    /// Applied.
    Done(SeedTally),
    /// Not applied: it contradicts what is there, for each of these reasons.
    Clash(Vec<String>),
}

/// How much a seed named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeedTally {
    /// Accounts.
    pub accounts: usize,
    /// Spaces.
    pub spaces: usize,
    /// WABAs.
    pub wabas: usize,
    /// Clients.
    pub clients: usize,
    /// Numbers, each counted once.
    pub numbers: usize,
}

/// A unit in the making.
pub(super) struct Draft<'a> {
    pub(super) prepared: &'a PreparedSeed,
    pub(super) now: Timestamp,
    pub(super) unit: Unit,
    pub(super) records: BTreeMap<PhoneNumber, (Version, NumberRecord)>,
    pub(super) tally: SeedTally,
    pub(super) clashes: Vec<String>,
}

impl Service {
    /// Hashes the passwords and PINs of a seed; equal passwords are hashed once.
    pub async fn prepare_seed(&self, seed: Seed) -> Result<PreparedSeed, ServiceError> {
        let mut hashed: HashMap<&str, String> = HashMap::new();
        let (mut passwords, mut pins) = (HashMap::new(), HashMap::new());
        for client in seed.accounts.iter().flat_map(|account| &account.clients) {
            let password = client.admin_password.as_ref();
            let password = password.map_or(FIRST_PASSWORD, SecretText::reveal);
            let hash = match hashed.get(password) {
                Some(hash) => hash.clone(),
                None => self.hasher.hash_password(password).await?,
            };
            hashed.insert(password, hash.clone());
            passwords.insert(client.id.clone(), hash);
        }
        let wabas = seed.accounts.iter().flat_map(|account| &account.spaces);
        for number in wabas.flat_map(|space| &space.wabas).flat_map(|waba| &waba.numbers) {
            let pin = number.standing.as_ref().and_then(|standing| standing.two_step_pin.as_ref());
            let Some(pin) = pin else { continue };
            pins.insert(number.planned.number, self.hasher.hash_pin(pin).await?);
        }
        Ok(PreparedSeed { seed, passwords, pins })
    }

    /// Applies a seed as a whole, or says why it cannot be.
    pub async fn apply_seed(&self, prepared: &PreparedSeed) -> Result<Seeded, ServiceError> {
        for _ in 0..ATTEMPTS_MAX {
            let draft = self.draft(prepared).await?;
            if !draft.clashes.is_empty() {
                return Ok(Seeded::Clash(draft.clashes));
            }
            let tally = draft.tally;
            match self.store.commit(draft.into_unit(self)).await {
                Err(CommitError::Conflict) => {}
                other => {
                    committed(other)?;
                    self.wake_worker();
                    return Ok(Seeded::Done(tally));
                }
            }
        }
        Err(Unavailable::Contended { attempts: ATTEMPTS_MAX }.into())
    }

    async fn draft<'a>(&self, prepared: &'a PreparedSeed) -> Result<Draft<'a>, ServiceError> {
        let mut draft = Draft {
            prepared,
            now: self.now(),
            unit: Unit::default(),
            records: BTreeMap::new(),
            tally: SeedTally::default(),
            clashes: Vec::new(),
        };
        for account in &prepared.seed.accounts {
            self.draft_directory(&mut draft, account).await?;
        }
        for account in &prepared.seed.accounts {
            for waba in account.spaces.iter().flat_map(|space| &space.wabas) {
                for number in &waba.numbers {
                    self.draft_number(&mut draft, account, waba, number).await?;
                }
            }
        }
        self.release_holders(&mut draft).await?;
        draft.tally.numbers = draft.records.len();
        Ok(draft)
    }
}

impl Draft<'_> {
    pub(super) fn clash(&mut self, what: String) {
        if !self.clashes.contains(&what) {
            self.clashes.push(what);
        }
    }

    /// What lets a client go comes before what registers one, as a store may check at each row.
    fn into_unit(self, service: &Service) -> Unit {
        let Self { mut unit, records, tally, .. } = self;
        let (registered, free): (Vec<_>, Vec<_>) =
            records.into_values().partition(|(_, record)| record.registration.is_some());
        let write = |(expected, record)| NumberWrite { expected, record };
        unit.numbers.extend(free.into_iter().chain(registered).map(write));
        let details = json!({
            "accounts": tally.accounts,
            "spaces": tally.spaces,
            "wabas": tally.wabas,
            "clients": tally.clients,
            "numbers": tally.numbers,
        });
        unit.events.push(service.event(&Caller::system(), Subject::System, "seeded", &details));
        unit
    }
}
