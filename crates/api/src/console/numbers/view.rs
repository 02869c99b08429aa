//! A number as the operator's API gives it: the fields that pages show.

use serde::Deserialize;

use super::super::shape::{Moment, Phase, digits};
use super::super::texts::Texts;

/// A number in a list.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Summary {
    pub number: String,
    pub international: String,
    pub state: Phase,
    pub registration: Option<Holder>,
    pub name: Option<String>,
    pub two_step: bool,
    pub locked: bool,
}

/// Who holds a number.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Holder {
    pub claim: String,
    pub waba: String,
    pub platform: String,
    pub client: Option<String>,
    pub since: Moment,
}

/// A number in full.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Details {
    pub number: String,
    pub international: String,
    pub kind: Option<String>,
    pub region: Option<String>,
    pub state: Phase,
    pub claims: Vec<Claim>,
    pub registration: Option<Holder>,
    pub two_step: TwoStep,
    pub locked_since: Option<Moment>,
    pub budgets: Budgets,
}

/// A claim of a WABA on a number.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Claim {
    pub id: String,
    pub waba: String,
    pub account: String,
    pub name: String,
    pub name_review: Review,
    pub new_name: Option<NewName>,
    pub added_at: Moment,
    pub phase: Phase,
    pub code: Option<Pending>,
    pub register_until: Option<Moment>,
}

/// What was found about a display name: `pending`, `approved` or `declined`.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Review {
    pub status: String,
}

/// A display name that shall take the place of another one.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct NewName {
    pub name: String,
    pub review: Review,
}

/// A code on its way.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Pending {
    pub expires_at: Moment,
    pub guesses_left: u32,
    pub next_guess_at: Option<Moment>,
    pub client: Option<String>,
}

/// Two-step verification.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct TwoStep {
    pub enabled: bool,
    pub set_at: Option<Moment>,
}

/// What is left of everything.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Budgets {
    pub sms: Budget,
    pub voice: Budget,
    pub failed_guesses: Budget,
    pub failed_in_a_row: Budget,
    pub register_calls: Budget,
    pub deregister_calls: Budget,
    pub pin: Budget,
}

/// What is left of one budget.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::console) struct Budget {
    pub max: u32,
    pub left: u32,
    pub opens_at: Option<Moment>,
}

impl Summary {
    /// Its digits, for addresses.
    pub(in crate::console) fn digits(&self) -> String {
        digits(&self.number)
    }
}

impl Holder {
    /// `On-Premises · berlin` or `Cloud API`.
    pub(in crate::console) fn words(&self, t: &'static Texts) -> String {
        match &self.client {
            Some(client) => format!("{} · {client}", t.state.on_premise),
            None if self.platform == "CLOUD_API" => t.state.cloud.to_owned(),
            None => self.platform.clone(),
        }
    }
}

impl Review {
    /// Whether it waits for a verdict.
    pub(in crate::console) fn waits(&self) -> bool {
        self.status == "pending"
    }

    /// Whether the verdict was no.
    pub(in crate::console) fn is_declined(&self) -> bool {
        self.status == "declined"
    }
}

impl Details {
    /// Its digits, for addresses.
    pub(in crate::console) fn digits(&self) -> String {
        digits(&self.number)
    }

    /// The display name: of the registered claim, else of the oldest.
    pub(in crate::console) fn name(&self) -> &str {
        let held = self.registration.as_ref();
        let held = held.and_then(|held| self.claims.iter().find(|claim| claim.id == held.claim));
        held.or(self.claims.first()).map_or("", |claim| claim.name.as_str())
    }

    /// Budgets with their labels.
    pub(in crate::console) fn budget_rows(
        &self,
        t: &'static Texts,
    ) -> [(&'static str, &Budget); 7] {
        let (n, b) = (&t.numbers, &self.budgets);
        [
            (n.b_sms, &b.sms),
            (n.b_voice, &b.voice),
            (n.b_guesses, &b.failed_guesses),
            (n.b_in_a_row, &b.failed_in_a_row),
            (n.b_register, &b.register_calls),
            (n.b_deregister, &b.deregister_calls),
            (n.b_pin, &b.pin),
        ]
    }
}

impl Budget {
    /// How much is left, out of a hundred.
    pub(in crate::console) fn percent(&self) -> u32 {
        self.left.saturating_mul(100).checked_div(self.max).unwrap_or(0)
    }
}
