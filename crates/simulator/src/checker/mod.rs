//! The invariants, checked after every step against what happened behind the ports.
//!
//! | # | Checked where |
//! |---|---|
//! | I1, I2 | `codes.rs`: each guess is charged in the unit that answers it; a code is used once |
//! | I3, I9 | `claims.rs`: who may change which part of a record |
//! | I4 | [`Checker::compare`]: the store holds what was acknowledged, and nothing else |
//! | I5 | `sends.rs`: handed over until acknowledged, and then never again |
//! | I6 | `answers.rs`, `claims.rs`: a refusal leaves ladders, calls, registration and outbox alone |
//! | I7 | `secrets.rs`: no code, PIN or password in what is stored or answered |
//! | names | `names.rs`: a display name changes only as it was asked for, judged and registered |
//! | I10 | [`Checker::compare`]: the chain of the audit trail |
//!
//! The checker keeps a copy of every record of its own, made of the units that the store took. It knows
//! PINs and codes in the clear, so it need not trust a verdict of the service.

mod answers;
mod claims;
mod codes;
mod names;
mod secrets;
mod sends;

use core::fmt;
use std::collections::{BTreeMap, VecDeque};

use registration::{Limits, NumberRecord, PhoneNumber};
use service::audit::ChainVerifier;
use service::keys::KeyRing;
use service::ports::{AuditQuery, Clock as _, EventId, SendQuery, Store as _, StoreError, Version};

use crate::journal::{CallId, Change, Commit, Seen};
use crate::workload::{Answer, Call};
use crate::world::World;

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one: `I1` to `I10`, or `names`.
    pub invariant: &'static str,
    /// What happened.
    pub what: String,
}

type Verdict = Result<(), Violation>;

/// Fails with the invariant unless `holds`.
fn ensure(holds: bool, invariant: &'static str, what: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(Violation { invariant, what: what() }) }
}

/// A call that is not answered yet, and the units it committed.
struct Open {
    call: Call,
    commits: Vec<Commit>,
}

/// Watches one world.
pub struct Checker {
    keys: KeyRing,
    limits: Limits,
    calls: BTreeMap<CallId, Open>,
    records: BTreeMap<PhoneNumber, NumberRecord>,
    versions: BTreeMap<PhoneNumber, Version>,
    codes: codes::Codes,
    claims: claims::Claims,
    names: names::Custom,
    sends: sends::Sends,
    secrets: secrets::Secrets,
    chain: ChainVerifier,
    /// Events that the store took and the chain has not shown yet.
    events: VecDeque<EventId>,
}

impl Checker {
    /// A checker for a world that has no number yet.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self {
            keys: world.keys.clone(),
            limits: world.policy.limits.clone(),
            calls: BTreeMap::new(),
            records: BTreeMap::new(),
            versions: BTreeMap::new(),
            codes: codes::Codes::default(),
            claims: claims::Claims::default(),
            names: names::Custom::of(&world.policy),
            sends: sends::Sends::new(world.clock.now()),
            secrets: secrets::Secrets::new(),
            chain: ChainVerifier::new(),
            events: VecDeque::new(),
        }
    }

    /// A call begins.
    pub fn begins(&mut self, id: CallId, call: Call) {
        self.calls.insert(id, Open { call, commits: Vec::new() });
    }

    /// A call ends without an answer: its caller gave up, or its process died.
    pub fn cut_off(&mut self, id: CallId) {
        self.calls.remove(&id);
    }

    /// A call was answered.
    pub fn answered(&mut self, id: CallId, answer: &Answer) -> Verdict {
        let Some(Open { call, commits }) = self.calls.remove(&id) else { return Ok(()) };
        self.secrets.scan_answer(answer)?;
        names::check_answer(&call, &commits, answer)?;
        answers::check(&call, &commits, answer)
    }

    /// The records as they are stored.
    #[must_use]
    pub const fn records(&self) -> &BTreeMap<PhoneNumber, NumberRecord> {
        &self.records
    }

    /// Codes that arrived at numbers, oldest first.
    #[must_use]
    pub fn inbox(&self) -> &[(PhoneNumber, String)] {
        self.secrets.codes()
    }

    /// Takes in what happened since the last time.
    pub fn take_in(&mut self, world: &World) -> Verdict {
        for seen in world.journal.drain() {
            match seen {
                Seen::Commit(commit) => self.commit(world, commit)?,
                Seen::Message { worker, id, number, code, text } => {
                    // A voice text spells the code out.
                    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                    ensure(digits.contains(&code), "I5", || "a message lacks its code".into())?;
                    self.sends.message(worker, id)?;
                    self.sends.content(&self.keys, id, number, &code)?;
                    self.secrets.learn_code(number, code);
                }
                Seen::Fate { id, fate } => self.sends.fate(id, fate),
                Seen::Reports(reports) => {
                    self.secrets.scan_reports(&reports)?;
                    self.sends.reports(&reports)?;
                }
                Seen::Leases(worker, sends) => self.sends.leased(worker, &sends),
                Seen::Clock(now) => self.sends.turn(now),
                Seen::Forgotten => self.sends.forgotten(),
            }
        }
        Ok(())
    }

    fn commit(&mut self, world: &World, commit: Commit) -> Verdict {
        self.events.extend(commit.events.iter().map(|event| event.id));
        self.secrets.scan_commit(&commit)?;
        let open = self.calls.get_mut(&commit.call);
        let returned = |change: &Change| claims::is_give_back(change);
        let known = open.is_some() || commit.changes.iter().all(returned);
        ensure(known, "I9", || "a record changed that nobody asked to change".into())?;
        if open.is_none() {
            for change in &commit.changes {
                self.sends.given_back(change.after.number)?;
            }
        }
        if let Some(open) = open {
            for change in &commit.changes {
                let known = self.records.get(&change.before.number);
                let same = known.is_none_or(|known| *known == change.before);
                ensure(same, "I4", || format!("{} is not as it was left", change.before.number))?;
                self.codes.check(&open.call, change, &self.keys, &self.limits)?;
                self.claims.check(&open.call, change, &world.tenants)?;
                self.names.check(&open.call, change, &commit)?;
                self.names.check_lifetime(&open.call, change)?;
            }
            claims::check_cost(&open.call, &commit)?;
            open.commits.push(commit.clone());
        }
        for change in commit.changes {
            let number = change.after.number;
            self.versions.insert(number, change.version);
            self.records.insert(number, change.after);
        }
        commit.sends.into_iter().for_each(|send| self.sends.decided(send));
        Ok(())
    }

    /// Compares the store with what it acknowledged: records, ledger, audit trail.
    pub async fn compare(&mut self, world: &World) -> Verdict {
        self.compare_records(world).await?;
        let query = AuditQuery { after: self.chain.len(), limit: usize::MAX, ..Default::default() };
        for entry in world.store.audit(&query).await.map_err(|error| unreadable(&error))? {
            let expected = self.events.pop_front();
            ensure(expected == Some(entry.event.id), "I4", || {
                format!("entry {} of the audit trail is not the event that came next", entry.seq)
            })?;
            self.chain.push(&entry).map_err(|error| broken(&error))?;
        }
        ensure(self.events.is_empty(), "I4", || {
            format!("{} events were acknowledged and are not in the trail", self.events.len())
        })
    }

    async fn compare_records(&self, world: &World) -> Verdict {
        let query = service::ports::NumberQuery { limit: usize::MAX, ..Default::default() };
        let stored = world.store.numbers(&query).await.map_err(|error| unreadable(&error))?;
        ensure(stored.iter().eq(self.records.values()), "I4", || {
            let differs = |it: &&NumberRecord| !stored.contains(it);
            let lost = self.records.values().find(differs).map(|record| record.number);
            format!("the store does not hold what it acknowledged for {lost:?}")
        })?;
        let mut clients = Vec::new();
        for held in stored.iter().filter_map(|record| record.registration.as_ref()) {
            if let registration::Platform::OnPremise { client } = &held.platform {
                ensure(!clients.contains(&client), "I3", || format!("{client} holds two numbers"))?;
                clients.push(client);
            }
        }
        Ok(())
    }

    /// Checks what holds once every call was answered and nothing is due: no send is left over, the trail
    /// holds from its first entry, and a dump of the store tells no secret.
    pub async fn calm(&self, world: &World) -> Verdict {
        self.sends.all_done()?;
        let query = SendQuery { limit: usize::MAX, ..SendQuery::default() };
        let ledger = world.store.sends(&query).await.map_err(|error| unreadable(&error))?;
        self.sends.compare(&ledger)?;
        let mut chain = ChainVerifier::new();
        let query = AuditQuery { limit: usize::MAX, ..AuditQuery::default() };
        for entry in world.store.audit(&query).await.map_err(|error| unreadable(&error))? {
            chain.push(&entry).map_err(|error| broken(&error))?;
        }
        self.secrets.scan("a dump of the store", &world.store.dump())
    }

    /// Sends that are not at their end yet.
    #[must_use]
    pub fn open_sends(&self) -> Vec<service::ports::SendId> {
        self.sends.open()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

impl core::error::Error for Violation {}

fn unreadable(error: &StoreError) -> Violation {
    Violation { invariant: "I4", what: error.to_string() }
}

fn broken(error: &service::audit::ChainBreak) -> Violation {
    Violation { invariant: "I10", what: error.to_string() }
}
