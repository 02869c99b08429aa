//! Numbers: the record as JSON, and the columns that repeat parts of it for look-ups.

mod challenge;
mod claims;

use std::borrow::Cow;

use registration::{
    Budgets, Claim, ClaimHistory, ClaimPhase, ClientId, Ladder, NameFault, NameReview, NewName,
    NumberRecord, PhoneNumber, PhoneNumberId, PinBudget, PinVerifier, Platform, Registration,
    RegistrationKey, TextId, Timestamp, TwoStep, VerifiedName, WabaId, Window,
};
use serde::{Deserialize, Serialize};

pub(crate) use claims::ClaimChanges;

use self::challenge::ChallengeTwin;
use super::{BadRow, Place, from_hex128, hex128, is_default, to_json};

/// What a backend stores for a number besides its version.
pub(crate) struct NumberRow {
    pub(crate) number: PhoneNumber,
    pub(crate) registered_client: Option<String>,
    pub(crate) registered_waba: Option<String>,
    pub(crate) locked_since: Option<i64>,
    pub(crate) body: String,
}

impl NumberRow {
    /// The row of `record`.
    pub(crate) fn of(record: &NumberRecord) -> Self {
        let (client, waba) = Self::registered(record);
        Self {
            number: record.number,
            registered_client: client.map(str::to_owned),
            registered_waba: waba.map(str::to_owned),
            locked_since: record.budgets.locked_since.map(Timestamp::as_millis),
            body: to_json(&Body::of(record)),
        }
    }

    /// The columns that repeat the registration: its client, if it has one, and its WABA.
    pub(crate) fn registered(record: &NumberRecord) -> (Option<&str>, Option<&str>) {
        let registration = record.registration.as_ref();
        let client = registration.and_then(|it| match &it.platform {
            Platform::OnPremise { client } => Some(client.as_str()),
            Platform::CloudApi => None,
        });
        (client, registration.map(|it| it.waba.as_str()))
    }
}

/// Reads the record of `number` from its JSON.
pub(crate) fn record_from_body(number: PhoneNumber, body: &str) -> Result<NumberRecord, BadRow> {
    // Masked, because this name reaches the log.
    let place = Place { table: "numbers", id: &number.masked() };
    let twin: Body<'_> = place.json("body", body)?;
    place.ok("body", twin.into_record(number))
}

/// Times in rows are milliseconds.
type Millis = i64;

#[derive(Serialize, Deserialize)]
struct Body<'a> {
    #[serde(rename = "b", default, skip_serializing_if = "is_default")]
    budgets: BudgetsTwin,
    #[serde(rename = "t", borrow, default, skip_serializing_if = "Option::is_none")]
    two_step: Option<(Cow<'a, str>, Millis)>,
    #[serde(rename = "c", borrow, default, skip_serializing_if = "Vec::is_empty")]
    claims: Vec<ClaimTwin<'a>>,
    #[serde(rename = "r", borrow, default, skip_serializing_if = "Option::is_none")]
    registration: Option<RegistrationTwin<'a>>,
}

#[derive(Serialize, Deserialize, Default, PartialEq)]
#[serde(default)]
struct BudgetsTwin {
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    sms: LadderTwin,
    #[serde(rename = "v", skip_serializing_if = "is_default")]
    voice: LadderTwin,
    #[serde(rename = "g", skip_serializing_if = "Vec::is_empty")]
    failed_guesses: Vec<Millis>,
    #[serde(rename = "f", skip_serializing_if = "is_default")]
    failed_in_a_row: u32,
    #[serde(rename = "l", skip_serializing_if = "Option::is_none")]
    locked_since: Option<Millis>,
    #[serde(rename = "r", skip_serializing_if = "Vec::is_empty")]
    register_calls: Vec<Millis>,
    #[serde(rename = "d", skip_serializing_if = "Vec::is_empty")]
    deregister_calls: Vec<Millis>,
    /// Failures, time of the latest.
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pin: (u32, Millis),
}

/// Steps taken, time of the first, time of the latest.
type LadderTwin = (u32, Millis, Millis);

#[derive(Serialize, Deserialize)]
struct ClaimTwin<'a> {
    #[serde(rename = "i", borrow)]
    id: Cow<'a, str>,
    #[serde(rename = "w", borrow)]
    waba: Cow<'a, str>,
    #[serde(rename = "n", borrow)]
    name: Cow<'a, str>,
    /// What was found about the name; absent: approved when the claim was made.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    name_review: Option<ReviewTwin>,
    #[serde(rename = "N", borrow, default, skip_serializing_if = "Option::is_none")]
    new_name: Option<NewNameTwin<'a>>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    certificate_serial: Option<u64>,
    #[serde(rename = "a")]
    added_at: Millis,
    #[serde(rename = "p", borrow, default, skip_serializing_if = "Option::is_none")]
    phase: Option<PhaseTwin<'a>>,
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    migrating_since: Option<Millis>,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    registered_at: Option<Millis>,
}

/// What was found about a display name.
#[derive(Serialize, Deserialize, Clone, Copy)]
enum ReviewTwin {
    #[serde(rename = "p")]
    Pending,
    /// Since when.
    #[serde(rename = "a")]
    Approved(Millis),
    /// Since when, and the place of the fault in [`NameFault::ALL`].
    #[serde(rename = "d")]
    Declined(Millis, usize),
}

#[derive(Serialize, Deserialize)]
struct NewNameTwin<'a> {
    #[serde(rename = "n", borrow)]
    name: Cow<'a, str>,
    #[serde(rename = "a")]
    asked_at: Millis,
    #[serde(rename = "v")]
    review: ReviewTwin,
    #[serde(rename = "u")]
    until: Millis,
}

/// `Unverified` is the absence of a phase.
#[derive(Serialize, Deserialize)]
enum PhaseTwin<'a> {
    #[serde(rename = "c", borrow)]
    AwaitingCode(ChallengeTwin<'a>),
    /// Since when; when the PIN was proven.
    #[serde(rename = "v")]
    Verified(Millis, Option<Millis>),
}

#[derive(Serialize, Deserialize)]
struct RegistrationTwin<'a> {
    #[serde(rename = "i", borrow)]
    claim: Cow<'a, str>,
    #[serde(rename = "w", borrow)]
    waba: Cow<'a, str>,
    /// The On-Premises client; without one the number runs on the hosted platform.
    #[serde(rename = "c", borrow, default, skip_serializing_if = "Option::is_none")]
    client: Option<Cow<'a, str>>,
    #[serde(rename = "a")]
    since: Millis,
    #[serde(rename = "u")]
    restarting_until: Millis,
    #[serde(rename = "k", borrow)]
    key: Cow<'a, str>,
}

fn at(ms: Millis) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn millis(times: &Window) -> Vec<Millis> {
    times.0.iter().map(|it| it.as_millis()).collect()
}

fn window(times: &[Millis]) -> Window {
    Window(times.iter().copied().map(at).collect())
}

fn ladder_twin(ladder: Ladder) -> LadderTwin {
    (ladder.taken, ladder.first_at.as_millis(), ladder.last_at.as_millis())
}

fn ladder((taken, first_at, last_at): LadderTwin) -> Ladder {
    Ladder { taken, first_at: at(first_at), last_at: at(last_at) }
}

impl<'a> Body<'a> {
    fn of(record: &'a NumberRecord) -> Self {
        let two_step = record.two_step.as_ref();
        Self {
            budgets: BudgetsTwin::of(&record.budgets),
            two_step: two_step.map(|it| (it.verifier.as_str().into(), it.set_at.as_millis())),
            claims: record.claims.iter().map(ClaimTwin::of).collect(),
            registration: record.registration.as_ref().map(RegistrationTwin::of),
        }
    }

    fn into_record(self, number: PhoneNumber) -> Option<NumberRecord> {
        let registration = match self.registration {
            Some(twin) => Some(twin.into_registration()?),
            None => None,
        };
        Some(NumberRecord {
            number,
            budgets: self.budgets.into_budgets(),
            two_step: self.two_step.map(|(verifier, set_at)| TwoStep {
                verifier: PinVerifier::new(&verifier),
                set_at: at(set_at),
            }),
            claims: self.claims.into_iter().map(ClaimTwin::into_claim).collect::<Option<_>>()?,
            registration,
        })
    }
}

impl BudgetsTwin {
    fn of(budgets: &Budgets) -> Self {
        Self {
            sms: ladder_twin(budgets.sms),
            voice: ladder_twin(budgets.voice),
            failed_guesses: millis(&budgets.failed_guesses),
            failed_in_a_row: budgets.failed_in_a_row,
            locked_since: budgets.locked_since.map(Timestamp::as_millis),
            register_calls: millis(&budgets.register_calls),
            deregister_calls: millis(&budgets.deregister_calls),
            pin: (budgets.pin.failures, budgets.pin.last_failure_at.as_millis()),
        }
    }

    fn into_budgets(self) -> Budgets {
        let (failures, last_failure_at) = self.pin;
        Budgets {
            sms: ladder(self.sms),
            voice: ladder(self.voice),
            failed_guesses: window(&self.failed_guesses),
            failed_in_a_row: self.failed_in_a_row,
            locked_since: self.locked_since.map(at),
            register_calls: window(&self.register_calls),
            deregister_calls: window(&self.deregister_calls),
            pin: PinBudget { failures, last_failure_at: at(last_failure_at) },
        }
    }
}

impl<'a> ClaimTwin<'a> {
    fn of(claim: &'a Claim) -> Self {
        let phase = match &claim.phase {
            ClaimPhase::Unverified => None,
            ClaimPhase::AwaitingCode(it) => Some(PhaseTwin::AwaitingCode(ChallengeTwin::of(it))),
            ClaimPhase::Verified { since, pin_proven_at } => Some(PhaseTwin::Verified(
                since.as_millis(),
                pin_proven_at.map(Timestamp::as_millis),
            )),
        };
        Self {
            id: claim.id.as_str().into(),
            waba: claim.waba.as_str().into(),
            name: claim.name.as_str().into(),
            name_review: (claim.name_review != NameReview::Approved { at: claim.added_at })
                .then(|| ReviewTwin::of(claim.name_review)),
            new_name: claim.new_name.as_ref().map(NewNameTwin::of),
            certificate_serial: claim.certificate_serial,
            added_at: claim.added_at.as_millis(),
            phase,
            migrating_since: claim.history.migrating_since.map(Timestamp::as_millis),
            registered_at: claim.history.registered_at.map(Timestamp::as_millis),
        }
    }

    fn into_claim(self) -> Option<Claim> {
        Some(Claim {
            id: PhoneNumberId::parse(&self.id)?,
            waba: WabaId::parse(&self.waba)?,
            name: VerifiedName::kept(&self.name).ok()?,
            name_review: match self.name_review {
                None => NameReview::Approved { at: at(self.added_at) },
                Some(review) => review.into_review()?,
            },
            new_name: match self.new_name {
                Some(new) => Some(new.into_new_name()?),
                None => None,
            },
            certificate_serial: self.certificate_serial,
            added_at: at(self.added_at),
            phase: match self.phase {
                None => ClaimPhase::Unverified,
                Some(PhaseTwin::AwaitingCode(it)) => ClaimPhase::AwaitingCode(it.into_challenge()?),
                Some(PhaseTwin::Verified(since, pin_proven_at)) => {
                    ClaimPhase::Verified { since: at(since), pin_proven_at: pin_proven_at.map(at) }
                }
            },
            history: ClaimHistory {
                migrating_since: self.migrating_since.map(at),
                registered_at: self.registered_at.map(at),
            },
        })
    }
}

impl ReviewTwin {
    fn of(review: NameReview) -> Self {
        match review {
            NameReview::Pending => Self::Pending,
            NameReview::Approved { at } => Self::Approved(at.as_millis()),
            NameReview::Declined { at, why } => {
                let place = NameFault::ALL.iter().position(|fault| *fault == why);
                Self::Declined(at.as_millis(), place.unwrap_or(NameFault::ALL.len()))
            }
        }
    }

    fn into_review(self) -> Option<NameReview> {
        Some(match self {
            Self::Pending => NameReview::Pending,
            Self::Approved(since) => NameReview::Approved { at: at(since) },
            Self::Declined(since, why) => {
                NameReview::Declined { at: at(since), why: *NameFault::ALL.get(why)? }
            }
        })
    }
}

impl<'a> NewNameTwin<'a> {
    fn of(new: &'a NewName) -> Self {
        Self {
            name: new.name.as_str().into(),
            asked_at: new.asked_at.as_millis(),
            review: ReviewTwin::of(new.review),
            until: new.until.as_millis(),
        }
    }

    fn into_new_name(self) -> Option<NewName> {
        Some(NewName {
            name: VerifiedName::kept(&self.name).ok()?,
            asked_at: at(self.asked_at),
            review: self.review.into_review()?,
            until: at(self.until),
        })
    }
}

impl<'a> RegistrationTwin<'a> {
    fn of(registration: &'a Registration) -> Self {
        Self {
            claim: registration.claim.as_str().into(),
            waba: registration.waba.as_str().into(),
            client: match &registration.platform {
                Platform::OnPremise { client } => Some(client.as_str().into()),
                Platform::CloudApi => None,
            },
            since: registration.since.as_millis(),
            restarting_until: registration.restarting_until.as_millis(),
            key: hex128(registration.key.0).into(),
        }
    }

    fn into_registration(self) -> Option<Registration> {
        Some(Registration {
            claim: PhoneNumberId::parse(&self.claim)?,
            waba: WabaId::parse(&self.waba)?,
            platform: match self.client {
                Some(id) => Platform::OnPremise { client: ClientId::parse(&id)? },
                None => Platform::CloudApi,
            },
            since: at(self.since),
            restarting_until: at(self.restarting_until),
            key: RegistrationKey(from_hex128(&self.key)?),
        })
    }
}

#[cfg(test)]
mod tests;
