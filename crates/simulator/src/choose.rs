//! Which call comes next.

use std::collections::BTreeMap;
use std::sync::Arc;

use registration::{ClaimPhase, CodeMethod, NameFault, NumberRecord, PhoneNumber};
use service::keys::KeyRing;
use service::numbering::Planned;

use crate::chance::Chance;
use crate::tenants::{Party, Tenants};
use crate::workload::{Ask, Bring, Call, NAMES, PASSWORD, PINS, Pin};

/// What a caller may know or guess when it decides what to ask.
pub(crate) struct Outlook<'a> {
    pub(crate) tenants: &'a Tenants,
    pub(crate) records: &'a BTreeMap<PhoneNumber, NumberRecord>,
    pub(crate) keys: &'a KeyRing,
    /// Codes that arrived at a number, oldest first.
    pub(crate) inbox: &'a [(PhoneNumber, String)],
    pub(crate) backups: &'a [Arc<Vec<u8>>],
}

#[derive(Clone, Copy)]
enum Kind {
    Add,
    RequestName,
    ReviewName,
    Code,
    Verify,
    Register,
    Deregister,
    SetPin,
    ClearPin,
    Unlock,
    Backup,
    Restore,
}

impl Outlook<'_> {
    /// A call that often makes sense, and sometimes none.
    pub(crate) fn call(&self, chance: &mut Chance) -> Call {
        let kind = chance.weighted(&[
            (40, Kind::Add),
            (30, Kind::RequestName),
            (30, Kind::ReviewName),
            (330, Kind::Code),
            (380, Kind::Verify),
            (110, Kind::Register),
            (40, Kind::Deregister),
            (30, Kind::SetPin),
            (30, Kind::ClearPin),
            (30, Kind::Unlock),
            // Rare: their keys are made to cost a fifth of a second.
            (6, Kind::Backup),
            (9, Kind::Restore),
        ]);
        let (party, number) = self.party(chance, kind);
        let ask = self.ask(chance, kind, &party, number);
        let operator = match kind {
            Kind::Unlock | Kind::ReviewName => true,
            Kind::Deregister | Kind::SetPin | Kind::ClearPin => chance.happens(200),
            Kind::Add
            | Kind::RequestName
            | Kind::Code
            | Kind::Verify
            | Kind::Register
            | Kind::Backup
            | Kind::Restore => false,
        };
        Call { party: (!operator).then_some(party), number, ask }
    }

    /// Anybody about any number, but mostly somebody who has a reason.
    fn party(&self, chance: &mut Chance, kind: Kind) -> (Party, Planned) {
        let must = matches!(kind, Kind::Backup | Kind::Restore);
        let parties = self.tenants.parties.iter().filter(|it| !must || it.client.is_some());
        let pairs: Vec<(&Party, Planned)> = parties
            .flat_map(|party| self.tenants.numbers.iter().map(move |number| (party, *number)))
            .collect();
        let has_reason =
            |(party, number): &&(&Party, Planned)| self.has_reason(kind, party, number.number);
        let with_reason: Vec<_> = pairs.iter().filter(has_reason).collect();
        let (party, number) = if !with_reason.is_empty() && chance.happens(800) {
            **chance.pick(&with_reason)
        } else {
            *chance.pick(&pairs)
        };
        (party.clone(), number)
    }

    fn has_reason(&self, kind: Kind, party: &Party, number: PhoneNumber) -> bool {
        let Some(record) = self.records.get(&number) else { return false };
        let claim = record.claim_of(&party.waba);
        let phase = claim.map(|claim| &claim.phase);
        let holds = record.registration.as_ref().is_some_and(|held| held.waba == party.waba);
        match kind {
            Kind::Verify => matches!(phase, Some(ClaimPhase::AwaitingCode(_))),
            Kind::Register => {
                let new_name = holds && claim.is_some_and(|claim| claim.new_name.is_some());
                new_name || matches!(phase, Some(ClaimPhase::Verified { .. }))
            }
            Kind::ReviewName => claim.is_some_and(|claim| claim.new_name.is_some()),
            Kind::Deregister | Kind::SetPin | Kind::ClearPin | Kind::RequestName => holds,
            Kind::Backup => party.client.as_ref().is_some_and(|client| record.held_by(client)),
            Kind::Unlock => record.budgets.locked_since.is_some(),
            Kind::Add | Kind::Code | Kind::Restore => false,
        }
    }

    fn ask(&self, chance: &mut Chance, kind: Kind, party: &Party, number: Planned) -> Ask {
        match kind {
            Kind::Add => Ask::Add(chance.weighted(&[(1, NAMES[0]), (1, NAMES[1])])),
            Kind::RequestName => Ask::RequestName(NAMES[chance.place(NAMES.len())]),
            Kind::ReviewName => {
                let fault = NameFault::ALL[chance.place(NameFault::ALL.len())];
                let fault = chance.happens(350).then_some(fault);
                Ask::ReviewName { waba: party.waba.clone(), fault }
            }
            Kind::Code => Ask::RequestCode {
                method: chance.weighted(&[(3, CodeMethod::Sms), (1, CodeMethod::Voice)]),
                pin: if party.client.is_some() { pin(chance) } else { Pin::NotAsked },
                claims: party.client.is_some() || chance.happens(300),
            },
            Kind::Verify => {
                let (origin, code) = self.code(chance, party, number);
                let registers = party.client.is_some() || chance.happens(300);
                let register = registers.then(|| bring(chance, party));
                Ask::Verify { code, origin, register }
            }
            Kind::Register => Ask::Register(bring(chance, party)),
            Kind::Deregister => Ask::Deregister,
            Kind::SetPin => Ask::SetPin(any_pin(chance)),
            Kind::ClearPin => Ask::ClearPin,
            Kind::Unlock => Ask::Unlock,
            Kind::Restore if !self.backups.is_empty() => {
                let password = if chance.happens(800) { PASSWORD } else { "another password" };
                Ask::Restore(Arc::clone(chance.pick(self.backups)), password)
            }
            Kind::Backup | Kind::Restore => Ask::Backup,
        }
    }

    fn code(
        &self,
        chance: &mut Chance,
        party: &Party,
        number: Planned,
    ) -> (&'static str, Option<String>) {
        let origin = chance.weighted(&[
            (8, "right"),
            (8, "wrong"),
            (2, "foreign"),
            (2, "old"),
            (1, "empty"),
        ]);
        let code = match origin {
            "right" => self.pending(number.number, |it| it == party),
            "foreign" => self.pending(number.number, |it| it.waba != party.waba),
            "old" if !self.inbox.is_empty() => Some(chance.pick(self.inbox).1.clone()),
            "empty" => return (origin, None),
            _ => None,
        };
        match code {
            Some(code) => (origin, Some(code)),
            None => ("wrong", Some(format!("{:06}", chance.below(1_000_000)))),
        }
    }

    /// The code that is on its way to one of those whom `whose` takes.
    fn pending(&self, number: PhoneNumber, whose: impl Fn(&Party) -> bool) -> Option<String> {
        let record = self.records.get(&number)?;
        self.tenants.parties.iter().filter(|party| whose(party)).find_map(|party| {
            let claim = record.claim_of(&party.waba)?;
            let ClaimPhase::AwaitingCode(challenge) = &claim.phase else { return None };
            let code = self.keys.code(challenge.key_epoch, number, &claim.id, challenge.id)?;
            Some(code.reveal().to_owned())
        })
    }
}

fn bring(chance: &mut Chance, party: &Party) -> Bring {
    let sets = party.client.is_none() && chance.happens(300);
    Bring { pin: pin(chance), set_pin: sets.then(|| any_pin(chance)) }
}

fn pin(chance: &mut Chance) -> Pin {
    let given = Pin::Given(any_pin(chance));
    chance.weighted(&[(2, Pin::Absent), (3, given)])
}

fn any_pin(chance: &mut Chance) -> &'static str {
    PINS[chance.place(PINS.len())]
}
