//! The record of a number: claims on it, its budgets, who holds it.

use core::fmt;

use crate::{
    Budgets, ClientId, Limits, NameReview, NewName, PhoneNumber, PhoneNumberId, PinVerifier,
    Timestamp, TwoStep, VerifiedName, WabaId,
};

/// Everything the rules know about one number: one record for the whole installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberRecord {
    /// Which number.
    pub number: PhoneNumber,
    /// What may still be spent on it, by whomever.
    pub budgets: Budgets,
    /// Two-step verification, if switched on.
    pub two_step: Option<TwoStep>,
    /// The WABAs that claim it, oldest first, at most one claim each.
    pub claims: Vec<Claim>,
    /// The one registration, if any.
    pub registration: Option<Registration>,
}

/// A claim of one WABA on the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Identifier of the claim.
    pub id: PhoneNumberId,
    /// Who claims.
    pub waba: WabaId,
    /// The display name shown for the number.
    pub name: VerifiedName,
    /// What was found about that name.
    pub name_review: NameReview,
    /// The name that shall take its place, if one was asked for.
    pub new_name: Option<NewName>,
    /// Serial of the certificate that carried the name, where there was one.
    pub certificate_serial: Option<u64>,
    /// When the claim was made.
    pub added_at: Timestamp,
    /// How far the proof of ownership has come.
    pub phase: ClaimPhase,
    /// What the claim has been through.
    pub history: ClaimHistory,
}

/// What a claim has been through, as far as later answers depend on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClaimHistory {
    /// Since when the number is on its way to this claim from wherever it is registered. Ends with the
    /// registration.
    pub migrating_since: Option<Timestamp>,
    /// When the claim was last registered, if it ever was: it tells a number that was given up or lost
    /// from one that never was here.
    pub registered_at: Option<Timestamp>,
}

/// How far a claim's proof of ownership has come. A registered claim is the one that
/// [`NumberRecord::registration`] names; its phase is `Unverified` again, since the proof was used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimPhase {
    /// No proof, none under way.
    Unverified,
    /// A code is on its way.
    AwaitingCode(Challenge),
    /// The code was right; registration may follow.
    Verified {
        /// When the code was accepted.
        since: Timestamp,
        /// When the PIN in force was last proven for this claim, if it was.
        pin_proven_at: Option<Timestamp>,
    },
}

/// Identifies a challenge; together with the number and the claim it determines the code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChallengeId(pub u128);

impl fmt::Debug for ChallengeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChallengeId({:032x})", self.0)
    }
}

/// A code on its way. The code itself is not here: it is derived from `id` by whoever holds the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Which challenge.
    pub id: ChallengeId,
    /// Epoch of the key that the code is derived with.
    pub key_epoch: u32,
    /// When the code was made; its life counts from here.
    pub created_at: Timestamp,
    /// When the first message with it was ordered. Before `created_at` only where a registrar upstream was asked for
    /// another one: it may have sent a new code, or the same again.
    pub first_asked_at: Timestamp,
    /// When it was last requested; the client's latest request is the one it verifies.
    pub requested_at: Timestamp,
    /// Guesses evaluated so far.
    pub guesses: u32,
    /// When the latest guess was evaluated.
    pub last_guess_at: Option<Timestamp>,
    /// Guesses that a registrar upstream may have evaluated, without an answer that says so.
    pub doubtful: DoubtfulGuesses,
    /// When the requester last gave the two-step PIN in force, if it did.
    pub pin_proven_at: Option<Timestamp>,
    /// The On-Premises client that asked, if one did.
    pub client: Option<ClientId>,
}

/// Guesses whose answer from a registrar upstream is lost, or leaves open whether they were compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DoubtfulGuesses {
    /// How many.
    pub count: u32,
    /// When the latest was made.
    pub last_at: Option<Timestamp>,
}

/// The platform a number is registered on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Platform {
    /// On an On-Premises client.
    OnPremise {
        /// Which client runs the number.
        client: ClientId,
    },
    /// On the hosted platform.
    CloudApi,
}

/// Proof that a backup belongs to a registration: 128 random bits that change with each new
/// registration and survive a restore. Redacted in `Debug`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RegistrationKey(pub u128);

impl fmt::Debug for RegistrationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrationKey(……)")
    }
}

/// Who holds the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The claim that was registered.
    pub claim: PhoneNumberId,
    /// Its WABA.
    pub waba: WabaId,
    /// Where the number runs.
    pub platform: Platform,
    /// Since when.
    pub since: Timestamp,
    /// Coreapp of the client restarts until then (it held another number before, or was restored).
    pub restarting_until: Timestamp,
    /// What a backup of this registration carries.
    pub key: RegistrationKey,
}

/// What to know about a PIN before a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinQuestion<'a> {
    /// Two-step verification is off: a PIN has no effect.
    NotNeeded,
    /// No try is open: do not hash.
    Locked(Timestamp),
    /// Check the submitted PIN against this.
    Check(&'a PinVerifier),
}

impl NumberRecord {
    /// The record of a number nobody has named yet.
    #[must_use]
    pub fn absent(number: PhoneNumber) -> Self {
        Self {
            number,
            budgets: Budgets::default(),
            two_step: None,
            claims: Vec::new(),
            registration: None,
        }
    }

    /// The claim of `waba`, if it has one.
    #[must_use]
    pub fn claim_of(&self, waba: &WabaId) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.waba == *waba)
    }

    /// The claim with this id.
    #[must_use]
    pub fn claim(&self, id: &PhoneNumberId) -> Option<&Claim> {
        self.claims.iter().find(|claim| claim.id == *id)
    }

    /// Whether `client` holds the registration.
    #[must_use]
    pub fn held_by(&self, client: &ClientId) -> bool {
        matches!(
            self.registration.as_ref().map(|r| &r.platform),
            Some(Platform::OnPremise { client: holder }) if holder == client
        )
    }

    /// Since when a claim is verified, if that still counts at `now`: a proof of ownership that is older
    /// than somebody else's registration of the number does not.
    #[must_use]
    pub fn verified_since(
        &self,
        claim: &Claim,
        now: Timestamp,
        limits: &Limits,
    ) -> Option<Timestamp> {
        let superseded = |since: &Timestamp| {
            let held = self.registration.as_ref();
            held.is_some_and(|held| held.claim != claim.id && held.since > *since)
        };
        claim.verified_since(now, limits).filter(|since| !superseded(since))
    }

    /// What has to be known about a submitted PIN before deciding: asked before hashing, so that a
    /// locked number costs no hash.
    #[must_use]
    pub fn pin_question(&self, now: Timestamp, limits: &Limits) -> PinQuestion<'_> {
        let Some(two_step) = &self.two_step else { return PinQuestion::NotNeeded };
        match self.budgets.pin.opens_at(now, limits.pin_failures_max, limits.pin_lock) {
            Some(opens_at) => PinQuestion::Locked(opens_at),
            None => PinQuestion::Check(&two_step.verifier),
        }
    }
}

impl Claim {
    /// Whether a display name of it waits for a verdict.
    #[must_use]
    pub fn name_waits(&self) -> bool {
        let review = self.new_name.as_ref().map_or(self.name_review, |new| new.review);
        review == NameReview::Pending
    }

    /// The display name that a verdict is about: the one that was asked for last.
    #[must_use]
    pub fn name_asked_for(&self) -> &VerifiedName {
        self.new_name.as_ref().map_or(&self.name, |new| &new.name)
    }

    /// The challenge that can still be answered or counted at `now`.
    #[must_use]
    pub fn live_challenge(&self, now: Timestamp, limits: &Limits) -> Option<&Challenge> {
        match &self.phase {
            ClaimPhase::AwaitingCode(challenge) => {
                (now < challenge.created_at + limits.code_lifetime).then_some(challenge)
            }
            ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
        }
    }

    /// Since when the claim is verified, if it still is at `now`; whether the proof counts, only the
    /// record can tell ([`NumberRecord::verified_since`]).
    #[must_use]
    fn verified_since(&self, now: Timestamp, limits: &Limits) -> Option<Timestamp> {
        match &self.phase {
            ClaimPhase::Verified { since, .. } => {
                (now < *since + limits.verified_idle).then_some(*since)
            }
            ClaimPhase::Unverified | ClaimPhase::AwaitingCode(_) => None,
        }
    }
}
