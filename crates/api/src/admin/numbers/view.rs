//! A number as the operator sees it.

use registration::{
    Accepted, Claim, ClaimPhase, Limits, NameReview, NewName, NumberKind, NumberRecord, Platform,
    Registration, TextId as _, Timestamp,
};
use serde::Serialize;
use service::numbering::{international_format, plan_e164};
use service::standing::{self, Left, Standing};
use utoipa::ToSchema;

use super::super::upstreams::UpstreamNumber;
use super::super::wire::At;

/// How far a number, or one claim on it, has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Unverified,
    AwaitingCode,
    Verified,
    Registered,
}

/// A number in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NumberSummary {
    /// E.164.
    #[schema(example = "+4915112345667")]
    number: String,
    /// In groups, as people read it.
    #[schema(example = "+49 1511 2345667")]
    international: String,
    /// How far the claim that came farthest has come.
    state: Phase,
    registration: Option<RegistrationView>,
    /// The WABAs that claim it, oldest claim first.
    wabas: Vec<String>,
    /// The display name: of the registered claim, else of the oldest.
    name: Option<String>,
    /// Whether two-step verification is on.
    two_step: bool,
    /// Whether an operator must unlock it.
    locked: bool,
}

/// A number in full.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NumberDetails {
    /// E.164.
    #[schema(example = "+4915112345667")]
    number: String,
    /// In groups, as people read it.
    international: String,
    /// What the numbering plan says it is; `null` if no plan knows it any more.
    #[schema(example = "mobile")]
    kind: Option<&'static str>,
    /// ISO 3166-1 alpha-2.
    region: Option<String>,
    /// How far the claim that came farthest has come.
    state: Phase,
    /// Oldest first.
    claims: Vec<ClaimView>,
    registration: Option<RegistrationView>,
    two_step: TwoStepView,
    /// Locked after too many wrong guesses, since then; an operator unlocks it.
    locked_since: Option<At>,
    budgets: Budgets,
    /// What is known at registrars upstream, and what differs from here; empty where this server is the authority.
    upstream: Vec<UpstreamNumber>,
}

/// A claim of a WABA on a number.
#[derive(Debug, Serialize, ToSchema)]
struct ClaimView {
    /// The phone-number id of Graph.
    id: String,
    waba: String,
    account: String,
    /// Display name.
    name: String,
    name_review: NameReviewView,
    /// The name that shall take its place, if one was asked for.
    new_name: Option<NewNameView>,
    /// Serial of the certificate that carried the name.
    certificate_serial: Option<u64>,
    added_at: At,
    phase: Phase,
    /// The code on its way, in phase `awaiting_code`.
    code: Option<PendingCode>,
    /// Since when it is verified, in phase `verified`.
    verified_since: Option<At>,
    /// Until when it may be registered without a new code, in phase `verified`.
    register_until: Option<At>,
}

/// What was found about a display name.
#[derive(Debug, Serialize, ToSchema)]
struct NameReviewView {
    /// `pending`, `approved` or `declined`.
    status: &'static str,
    /// Since when; `null` while it is pending.
    since: Option<At>,
    /// What is wrong with a declined name.
    why: Option<&'static str>,
}

/// A display name that shall take the place of another one.
#[derive(Debug, Serialize, ToSchema)]
struct NewNameView {
    name: String,
    asked_at: At,
    review: NameReviewView,
    /// Until when a registration puts it in force, once it is approved.
    register_until: Option<At>,
}

/// A code on its way. The code itself is shown nowhere.
#[derive(Debug, Serialize, ToSchema)]
struct PendingCode {
    requested_at: At,
    expires_at: At,
    guesses_left: u32,
    /// When the next guess is allowed; `null` means now.
    next_guess_at: Option<At>,
    /// The On-Premises client that asked, if one did.
    client: Option<String>,
}

/// Who holds a number.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RegistrationView {
    /// The claim that was registered.
    claim: String,
    waba: String,
    /// `ON_PREMISE` or `CLOUD_API`.
    platform: &'static str,
    /// The client that runs it, on-premises.
    client: Option<String>,
    since: At,
}

/// Two-step verification.
#[derive(Debug, Serialize, ToSchema)]
struct TwoStepView {
    enabled: bool,
    set_at: Option<At>,
}

/// What is left of a number's budgets, which everybody shares who claims it.
#[derive(Debug, Serialize, ToSchema)]
struct Budgets {
    sms: Budget,
    voice: Budget,
    /// Wrong guesses within the moving window.
    failed_guesses: Budget,
    /// Wrong guesses in a row before the number is locked.
    failed_in_a_row: Budget,
    register_calls: Budget,
    deregister_calls: Budget,
    /// Wrong PINs before one try a day is left.
    pin: Budget,
}

/// What is left of one budget.
#[derive(Debug, Serialize, ToSchema)]
struct Budget {
    max: u32,
    left: u32,
    /// When the next one is allowed; `null` means now.
    opens_at: Option<At>,
}

/// What became of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NumberAnswer {
    /// `code_sent`, `verified`, `registered`, `already_registered`, `deregistered`, `done`.
    outcome: &'static str,
    /// The claim concerned, where one is.
    claim: Option<String>,
    /// The number as it is now.
    number: NumberDetails,
}

impl NumberSummary {
    /// Sums `record` up as of `now`.
    pub(crate) fn new(record: &NumberRecord, now: Timestamp, limits: &Limits) -> Self {
        let held = record.registration.as_ref();
        let named = held.and_then(|held| record.claim(&held.claim)).or(record.claims.first());
        Self {
            number: record.number.to_string(),
            international: international_format(record.number),
            state: state(record, now, limits),
            registration: held.map(RegistrationView::from),
            wabas: record.claims.iter().map(|claim| claim.waba.as_str().to_owned()).collect(),
            name: named.map(|claim| claim.name.as_str().to_owned()),
            two_step: record.two_step.is_some(),
            locked: record.budgets.locked_since.is_some(),
        }
    }
}

impl NumberDetails {
    /// Shows `record` as of `now`; `accounts` are those of its claims, in their order.
    pub(crate) fn new(
        record: &NumberRecord,
        accounts: &[String],
        upstream: Vec<UpstreamNumber>,
        now: Timestamp,
        limits: &Limits,
    ) -> Self {
        let planned = plan_e164(&record.number.digits()).ok();
        let kind = planned.map_or(NumberKind::Mobile, |planned| planned.kind);
        let claims = record.claims.iter().zip(accounts);
        Self {
            number: record.number.to_string(),
            international: international_format(record.number),
            kind: planned.map(|planned| planned.kind.as_str()),
            region: planned.and_then(|it| it.region).map(|region| region.to_string()),
            state: state(record, now, limits),
            claims: claims
                .map(|(claim, account)| ClaimView::new(record, claim, account, now, limits))
                .collect(),
            registration: record.registration.as_ref().map(RegistrationView::from),
            two_step: TwoStepView {
                enabled: record.two_step.is_some(),
                set_at: record.two_step.as_ref().map(|two_step| two_step.set_at.into()),
            },
            locked_since: record.budgets.locked_since.map(At::from),
            budgets: standing::standing(record, kind, now, limits).into(),
            upstream,
        }
    }
}

impl ClaimView {
    fn new(
        record: &NumberRecord,
        claim: &Claim,
        account: &str,
        now: Timestamp,
        limits: &Limits,
    ) -> Self {
        let verified_since = record.verified_since(claim, now, limits);
        let code = claim.live_challenge(now, limits).map(|challenge| PendingCode {
            requested_at: challenge.requested_at.into(),
            expires_at: (challenge.created_at + limits.code_lifetime).into(),
            guesses_left: limits.guesses_max().saturating_sub(challenge.guesses),
            next_guess_at: standing::guess_opens_at(record, &claim.waba, now, limits).map(At::from),
            client: challenge.client.as_ref().map(|client| client.as_str().to_owned()),
        });
        Self {
            id: claim.id.as_str().to_owned(),
            waba: claim.waba.as_str().to_owned(),
            account: account.to_owned(),
            name: claim.name.as_str().to_owned(),
            name_review: claim.name_review.into(),
            new_name: claim.new_name.as_ref().map(NewNameView::of),
            certificate_serial: claim.certificate_serial,
            added_at: claim.added_at.into(),
            phase: phase(record, claim, now, limits),
            code,
            verified_since: verified_since.map(At::from),
            register_until: verified_since.map(|since| (since + limits.verified_idle).into()),
        }
    }
}

impl From<NameReview> for NameReviewView {
    fn from(review: NameReview) -> Self {
        let (status, since, why) = match review {
            NameReview::Pending => ("pending", None, None),
            NameReview::Approved { at } => ("approved", Some(at), None),
            NameReview::Declined { at, why } => ("declined", Some(at), Some(why.as_str())),
        };
        Self { status, since: since.map(At::from), why }
    }
}

impl NewNameView {
    fn of(new: &NewName) -> Self {
        let is_approved = matches!(new.review, NameReview::Approved { .. });
        Self {
            name: new.name.as_str().to_owned(),
            asked_at: new.asked_at.into(),
            review: new.review.into(),
            register_until: is_approved.then(|| new.until.into()),
        }
    }
}

impl NumberAnswer {
    /// Names what was decided.
    pub(crate) fn new(accepted: &Accepted, number: NumberDetails) -> Self {
        let (outcome, claim) = match accepted {
            Accepted::NumberAdded(claim) => ("number_added", Some(claim)),
            Accepted::CodeSent(claim) => ("code_sent", Some(claim)),
            Accepted::Verified(claim) => ("verified", Some(claim)),
            Accepted::Registered(claim) => ("registered", Some(claim)),
            Accepted::AlreadyRegistered(claim) => ("already_registered", Some(claim)),
            Accepted::Restored(claim) => ("restored", Some(claim)),
            Accepted::Deregistered => ("deregistered", None),
            Accepted::Done => ("done", None),
        };
        Self { outcome, claim: claim.map(|claim| claim.as_str().to_owned()), number }
    }
}

impl From<&Registration> for RegistrationView {
    fn from(it: &Registration) -> Self {
        let (platform, client) = match &it.platform {
            Platform::OnPremise { client } => ("ON_PREMISE", Some(client.as_str().to_owned())),
            Platform::CloudApi => ("CLOUD_API", None),
        };
        Self {
            claim: it.claim.as_str().to_owned(),
            waba: it.waba.as_str().to_owned(),
            platform,
            client,
            since: it.since.into(),
        }
    }
}

impl From<Standing> for Budgets {
    fn from(it: Standing) -> Self {
        Self {
            sms: it.sms.into(),
            voice: it.voice.into(),
            failed_guesses: it.failed_guesses.into(),
            failed_in_a_row: it.failed_in_a_row.into(),
            register_calls: it.register_calls.into(),
            deregister_calls: it.deregister_calls.into(),
            pin: it.pin.into(),
        }
    }
}

impl From<Left> for Budget {
    fn from(it: Left) -> Self {
        Self { max: it.max, left: it.left, opens_at: it.opens_at.map(At::from) }
    }
}

fn state(record: &NumberRecord, now: Timestamp, limits: &Limits) -> Phase {
    let phases = record.claims.iter().map(|claim| phase(record, claim, now, limits));
    phases.max().unwrap_or(Phase::Unverified)
}

/// The phase as of `now`: what has expired counts as not there.
fn phase(record: &NumberRecord, claim: &Claim, now: Timestamp, limits: &Limits) -> Phase {
    let held = record.registration.as_ref().is_some_and(|held| held.claim == claim.id);
    match &claim.phase {
        _ if held => Phase::Registered,
        ClaimPhase::AwaitingCode(_) if claim.live_challenge(now, limits).is_some() => {
            Phase::AwaitingCode
        }
        ClaimPhase::Verified { .. } if record.verified_since(claim, now, limits).is_some() => {
            Phase::Verified
        }
        ClaimPhase::Unverified | ClaimPhase::AwaitingCode(_) | ClaimPhase::Verified { .. } => {
            Phase::Unverified
        }
    }
}
