//! The numbers of a seed: records made outright, not by way of the rules, which would not make some of
//! them (a budget spent to the last step) and take days for others.

use registration::{
    AccountId, Budgets, Challenge, ChallengeId, Claim, ClaimHistory, ClaimPhase, ClientId,
    CodeSend, DoubtfulGuesses, Ladder, NameReview, NumberRecord, PinBudget, Platform, Registration,
    RegistrationKey, Timestamp, TwoStep, Window,
};

use super::apply::Draft;
use super::{SeedAccount, SeedNumber, SeedStanding, SeedState, SeedWaba};
use crate::error::ServiceError;
use crate::message_text::locale_of_region;
use crate::numbering::Region;
use crate::ports::{EntropyExt as _, NumberKey, NumberWrite, Send};
use crate::service::Service;

impl Service {
    pub(super) async fn draft_number(
        &self,
        draft: &mut Draft<'_>,
        account: &SeedAccount,
        waba: &SeedWaba,
        entry: &SeedNumber,
    ) -> Result<(), ServiceError> {
        let number = entry.planned.number;
        let stored = self.load(number).await?;
        let id = match (&entry.id, stored.value.claim_of(&waba.id)) {
            (Some(id), _) => id.clone(),
            (None, Some(claim)) => claim.id.clone(),
            (None, None) => self.phone_number_id(),
        };
        let claimed = self.store.find_number(&NumberKey::Claim(id.clone())).await?;
        if claimed.is_some_and(|other| other != number) {
            draft.clash(format!("phone-number id {id} is another number's"));
        }
        if let Some(client) = entry.state.client()
            && !self.has_client(account, client).await?
        {
            draft.clash(format!("account {} has no client {client}", account.id));
        }
        let now = draft.now;
        let claim = Claim {
            id,
            waba: waba.id.clone(),
            name: entry.name.clone(),
            name_review: NameReview::Approved { at: now },
            new_name: None,
            certificate_serial: entry.certificate_serial,
            added_at: now,
            phase: self.phase(&entry.state, now),
            history: ClaimHistory {
                migrating_since: None,
                registered_at: matches!(entry.state, SeedState::Registered(_)).then_some(now),
            },
        };
        draft.unit.sends.extend(self.send_of(&account.id, entry, &claim, now));
        let verifier = draft.prepared.pins.get(&number).cloned();
        let fresh = || (stored.version, NumberRecord::absent(number));
        let (_, record) = draft.records.entry(number).or_insert_with(fresh);
        if let SeedState::Registered(platform) = &entry.state {
            record.registration = Some(Registration {
                claim: claim.id.clone(),
                waba: waba.id.clone(),
                platform: platform.clone(),
                since: now,
                restarting_until: now,
                key: RegistrationKey(self.entropy.id128()),
            });
        }
        record.claims.push(claim);
        if let Some(standing) = &entry.standing {
            record.budgets = standing.budgets(now, self.limits().failed_in_a_row_max);
            record.two_step = verifier.map(|verifier| TwoStep { verifier, set_at: now });
        }
        Ok(())
    }

    async fn has_client(
        &self,
        account: &SeedAccount,
        client: &ClientId,
    ) -> Result<bool, ServiceError> {
        if account.clients.iter().any(|it| it.id == *client) {
            return Ok(true);
        }
        Ok(self.client(client).await?.is_some_and(|it| it.account == account.id))
    }

    fn phase(&self, state: &SeedState, now: Timestamp) -> ClaimPhase {
        match state {
            SeedState::Unverified | SeedState::Registered(_) => ClaimPhase::Unverified,
            SeedState::Verified => ClaimPhase::Verified { since: now, pin_proven_at: None },
            SeedState::AwaitingCode { client, .. } => ClaimPhase::AwaitingCode(Challenge {
                id: ChallengeId(self.entropy.id128()),
                key_epoch: self.keys.epoch(),
                created_at: now,
                first_asked_at: now,
                requested_at: now,
                guesses: 0,
                last_guess_at: None,
                doubtful: DoubtfulGuesses::default(),
                pin_proven_at: None,
                client: client.clone(),
            }),
        }
    }

    /// The send of a code that is on its way.
    fn send_of(
        &self,
        account: &AccountId,
        entry: &SeedNumber,
        claim: &Claim,
        now: Timestamp,
    ) -> Option<Send> {
        let SeedState::AwaitingCode { method, client } = &entry.state else { return None };
        let ClaimPhase::AwaitingCode(challenge) = &claim.phase else { return None };
        let dialect = if client.is_some() { "onprem" } else { "graph" };
        let what = CodeSend {
            claim: claim.id.clone(),
            waba: claim.waba.clone(),
            challenge: challenge.id,
            key_epoch: challenge.key_epoch,
            method: *method,
            locale: locale_of_region(entry.planned.region.as_ref().map(Region::as_str)),
            useless_after: now + self.limits().code_lifetime,
        };
        let (id, number) = (self.send_id(now), entry.planned.number);
        Some(Send::decided(id, number, account.clone(), dialect, what, now))
    }

    /// Lets go the numbers that clients of the seed run now and shall not run afterwards.
    pub(super) async fn release_holders(&self, draft: &mut Draft<'_>) -> Result<(), ServiceError> {
        let clients: Vec<_> = draft.records.values().filter_map(|(_, it)| holder(it)).collect();
        for client in clients {
            let held = self.store.find_number(&NumberKey::HeldBy(client)).await?;
            let Some(held) = held.filter(|held| !draft.records.contains_key(held)) else {
                continue;
            };
            let mut stored = self.load(held).await?;
            stored.value.registration = None;
            let write = NumberWrite { expected: stored.version, record: stored.value };
            draft.unit.numbers.push(write);
        }
        Ok(())
    }
}

impl SeedState {
    /// The On-Premises client that it names.
    fn client(&self) -> Option<&ClientId> {
        match self {
            Self::AwaitingCode { client, .. } => client.as_ref(),
            Self::Registered(Platform::OnPremise { client }) => Some(client),
            Self::Unverified | Self::Verified | Self::Registered(Platform::CloudApi) => None,
        }
    }
}

impl SeedStanding {
    fn budgets(&self, now: Timestamp, failed_in_a_row_max: u32) -> Budgets {
        let ladder = |taken| match taken {
            0 => Ladder::default(),
            taken => Ladder { taken, first_at: now, last_at: now },
        };
        let window = |count| (0..count).map(|_| now).collect();
        let pin = match self.pin_failures {
            0 => PinBudget::default(),
            failures => PinBudget { failures, last_failure_at: now },
        };
        Budgets {
            sms: ladder(self.sms_sent),
            voice: ladder(self.voice_calls),
            failed_guesses: Window(window(self.failed_guesses)),
            failed_in_a_row: if self.locked { failed_in_a_row_max } else { self.failed_guesses },
            locked_since: self.locked.then_some(now),
            register_calls: Window(window(self.register_calls)),
            deregister_calls: Window(window(self.deregister_calls)),
            pin,
        }
    }
}

fn holder(record: &NumberRecord) -> Option<ClientId> {
    match &record.registration.as_ref()?.platform {
        Platform::OnPremise { client } => Some(client.clone()),
        Platform::CloudApi => None,
    }
}
