//! What there is to tell: the difference that a decision makes for each claim.

use registration::{
    AccountId, Claim, ClaimPhase, CustomerSpaceId, NameFault, NameReview, NumberRecord,
    PhoneNumber, PhoneNumberId, Platform, Registration, Timestamp, VerifiedName,
};

use crate::caller::Caller;
use crate::directory::Waba;

/// What happened to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// The number was claimed.
    NumberAdded,
    /// Its display name was replaced.
    NameChanged {
        /// The name before.
        before: VerifiedName,
        /// Whether it is the one that was asked for and approved before.
        was_approved: bool,
    },
    /// A display name was asked for and waits for a verdict.
    NameSubmitted {
        /// The name.
        name: VerifiedName,
    },
    /// A display name was approved.
    NameApproved {
        /// The name.
        name: VerifiedName,
    },
    /// A display name was declined.
    NameDeclined {
        /// The name.
        name: VerifiedName,
        /// Why.
        why: NameFault,
    },
    /// The right code was given; registration may follow.
    CodeConfirmed,
    /// It was registered, or registered anew.
    Registered {
        /// Where it runs now.
        platform: Platform,
        /// Whether the claim was registered at an earlier time.
        again: bool,
    },
    /// It was deregistered, or its client runs another number now.
    Deregistered,
    /// Somebody else registered the number.
    LoggedOff,
    /// Two-step verification was switched on, or its PIN changed.
    TwoStepSet,
    /// Two-step verification was switched off.
    TwoStepCleared,
}

impl Happening {
    /// One word, as it stands in the outbox.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NumberAdded => "number_added",
            Self::NameChanged { .. } => "name_changed",
            Self::NameSubmitted { .. } => "name_submitted",
            Self::NameApproved { .. } => "name_approved",
            Self::NameDeclined { .. } => "name_declined",
            Self::CodeConfirmed => "code_confirmed",
            Self::Registered { .. } => "registered",
            Self::Deregistered => "deregistered",
            Self::LoggedOff => "logged_off",
            Self::TwoStepSet => "two_step_set",
            Self::TwoStepCleared => "two_step_cleared",
        }
    }
}

/// What is told to the endpoints of one claim. It says nothing about other claims of the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// When it was decided.
    pub at: Timestamp,
    /// What happened.
    pub happening: Happening,
    /// To which number.
    pub number: PhoneNumber,
    /// As claimed by whom.
    pub claim: PhoneNumberId,
    /// The WABA of the claim, with its account and space.
    pub waba: registration::WabaId,
    /// Its space.
    pub space: CustomerSpaceId,
    /// Its account.
    pub account: AccountId,
    /// The display name now.
    pub name: VerifiedName,
    /// Whether the claim holds the registration now.
    pub registered: bool,
    /// Whether the claim is verified now (a registered one is).
    pub verified: bool,
    /// In which dialect it was asked for.
    pub dialect: &'static str,
}

/// A change of one claim.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) claim: Claim,
    pub(super) happening: Happening,
}

impl Notice {
    pub(super) fn new(
        record: &NumberRecord,
        change: Change,
        waba: &Waba,
        caller: &Caller,
        at: Timestamp,
    ) -> Self {
        let Change { claim, happening } = change;
        let registered = registration_of(record, &claim).is_some();
        Self {
            at,
            happening,
            number: record.number,
            waba: waba.id.clone(),
            space: waba.space.clone(),
            account: waba.account.clone(),
            registered,
            verified: registered || is_verified(&claim),
            claim: claim.id,
            name: claim.name,
            dialect: caller.dialect,
        }
    }
}

/// What `after` has changed for each of its claims. A code on its way is no news.
pub(super) fn changes<'r>(
    before: &'r NumberRecord,
    after: &'r NumberRecord,
) -> impl Iterator<Item = Change> + 'r {
    after.claims.iter().flat_map(move |claim| {
        let happenings = of_claim(before, after, claim).into_iter().flatten();
        happenings.map(move |happening| Change { claim: claim.clone(), happening })
    })
}

fn of_claim(before: &NumberRecord, after: &NumberRecord, claim: &Claim) -> [Option<Happening>; 4] {
    let old = before.claim(&claim.id);
    let name = match old {
        None => Some(Happening::NumberAdded),
        Some(old) if old.name != claim.name => Some(Happening::NameChanged {
            before: old.name.clone(),
            was_approved: asked(old).0 == &claim.name,
        }),
        Some(_) => None,
    };
    let review = old.filter(|old| asked(old) != asked(claim)).and_then(|_| {
        let (asked_for, review) = asked(claim);
        let name_now = asked_for.clone();
        match review {
            NameReview::Pending => Some(Happening::NameSubmitted { name: name_now }),
            // A change of name says as much.
            NameReview::Approved { .. } if name.is_some() => None,
            NameReview::Approved { .. } => Some(Happening::NameApproved { name: name_now }),
            NameReview::Declined { why, .. } => {
                Some(Happening::NameDeclined { name: name_now, why })
            }
        }
    });
    let held = registration_of(before, claim);
    let holds = registration_of(after, claim);
    let standing = match (held, holds) {
        (Some(held), Some(holds)) if is_same(held, holds) => None,
        (_, Some(holds)) => Some(Happening::Registered {
            platform: holds.platform.clone(),
            again: old.is_some_and(|old| old.history.registered_at.is_some()),
        }),
        (Some(_), None) if after.registration.is_some() => Some(Happening::LoggedOff),
        (Some(_), None) => Some(Happening::Deregistered),
        (None, None) => {
            let news = is_verified(claim) && !old.is_some_and(is_verified);
            news.then_some(Happening::CodeConfirmed)
        }
    };
    // Only who holds the number is told about its PIN.
    let two_step = match (&before.two_step, &after.two_step) {
        _ if holds.is_none() => None,
        (Some(_), None) => Some(Happening::TwoStepCleared),
        (before, Some(now)) if before.as_ref() != Some(now) => Some(Happening::TwoStepSet),
        _ => None,
    };
    [name, review, standing, two_step]
}

/// The name that a claim waits for, else the one it has, and what was found about it.
fn asked(claim: &Claim) -> (&VerifiedName, NameReview) {
    let new = claim.new_name.as_ref();
    new.map_or((&claim.name, claim.name_review), |new| (&new.name, new.review))
}

/// The same registration on the same platform; a restored backup keeps the key.
fn is_same(one: &Registration, other: &Registration) -> bool {
    one.key == other.key && one.platform == other.platform
}

fn registration_of<'r>(record: &'r NumberRecord, claim: &Claim) -> Option<&'r Registration> {
    record.registration.as_ref().filter(|held| held.claim == claim.id)
}

fn is_verified(claim: &Claim) -> bool {
    matches!(claim.phase, ClaimPhase::Verified { .. })
}
