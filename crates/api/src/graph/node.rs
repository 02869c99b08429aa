//! Nodes: a number and a WABA as this dialect shows them (§2.4, §3).

use registration::{ClaimPhase, NameReview, Platform, TextId as _, Timestamp};
use serde_json::{Map, Value, json};
use service::directory::Waba;
use service::numbering::{self, international_format};
use service::ports::ClaimMoment;

use super::call::{Call, Phone};
use super::fields::Fields;

/// What a number shows if nothing in particular is asked for (§2.3).
const PHONE_FIELDS: [&str; 6] = [
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
];

/// What a WABA shows if nothing in particular is asked for.
const WABA_FIELDS: [&str; 4] = ["id", "name", "timezone_id", "message_template_namespace"];

/// A number: the fields asked for, and always its id. Unknown and empty ones are left out.
pub(super) fn phone(call: &Call, phone: &Phone, fields: &Fields) -> Value {
    let defaults = Fields::named(&PHONE_FIELDS);
    let asked = if fields.is_empty() { &defaults } else { fields };
    let mut shown = Map::new();
    for field in asked.iter() {
        if let Some(value) = phone_field(call, phone, &field.name) {
            shown.insert(field.name.clone(), field.of_it.of(value));
        }
    }
    shown.insert("id".to_owned(), json!(phone.claim.id.as_str()));
    Value::Object(shown)
}

/// A WABA; its edges are not here.
pub(super) fn waba(waba: &Waba, fields: &Fields) -> Map<String, Value> {
    let defaults = Fields::named(&WABA_FIELDS);
    let asked = if fields.is_empty() { &defaults } else { fields };
    let mut shown = Map::new();
    for field in asked.iter() {
        if let Some(value) = waba_field(waba, &field.name) {
            shown.insert(field.name.clone(), field.of_it.of(value));
        }
    }
    shown.insert("id".to_owned(), json!(waba.id.as_str()));
    shown
}

/// What Rollcall knows of a WABA is its id and name; the rest is what a WABA in good standing shows.
fn waba_field(waba: &Waba, name: &str) -> Option<Value> {
    Some(match name {
        "name" => json!(waba.name),
        "timezone_id" => json!("1"),
        "currency" => json!("USD"),
        "message_template_namespace" => json!(""),
        "account_review_status" | "status" => json!("APPROVED"),
        "business_verification_status" => json!("verified"),
        "ownership_type" => json!("SELF"),
        "creation_time" => json!(waba.created_at.as_millis().div_euclid(1000)),
        _ => return None,
    })
}

fn phone_field(call: &Call, phone: &Phone, name: &str) -> Option<Value> {
    let Phone { record, claim } = phone;
    let planned = || numbering::plan_e164(&record.number.digits()).ok();
    Some(match name {
        "display_phone_number" => json!(international_format(record.number)),
        "verified_name" => json!(claim.name.as_str()),
        "code_verification_status" => json!(phone.verification(call)),
        "status" => json!(phone.status(call)),
        "platform_type" | "host_platform" => json!(phone.platform()),
        "throughput" => json!({ "level": phone.throughput() }),
        "is_pin_enabled" => json!(phone.shows_pin()),
        "name_status" => json!(name_status(claim.name_review)),
        "unified_cert_status" => json!(certificate_status(claim.name_review)),
        "certificate" => json!(call.app.service.name_certificate(record, claim)?),
        "new_display_name" => json!(claim.new_name.as_ref()?.name.as_str()),
        "new_name_status" => json!(phone.new_name_status(call)),
        "new_certificate" => {
            let new = claim.new_name.as_ref()?;
            json!(call.app.service.new_name_certificate(record, claim, new)?)
        }
        "country_code" => json!(planned()?.region?.as_str()),
        "country_dial_code" => json!(planned()?.country_code.to_string()),
        "last_onboarded_time" => json!(moment(phone.onboarded_at())),
        "health_status" => phone.health(call),
        name => return common_field(name),
    })
}

/// Quality, limits and modes belong to the platform that carries messages: what a new number shows.
pub(super) fn common_field(name: &str) -> Option<Value> {
    Some(match name {
        "quality_rating" => json!("NA"),
        "quality_score" => json!({ "score": "NA" }),
        "account_mode" => json!("LIVE"),
        "messaging_limit_tier" | "whatsapp_business_manager_messaging_limit" => json!("TIER_250"),
        "is_on_biz_app" | "is_official_business_account" | "is_preverified_number" => json!(false),
        _ => return None,
    })
}

impl Phone {
    /// The platform on which this very claim is registered.
    fn held_on(&self) -> Option<&Platform> {
        let held = self.record.registration.as_ref().filter(|held| held.claim == self.claim.id);
        held.map(|held| &held.platform)
    }

    fn is_verified(&self, call: &Call) -> bool {
        let service = &call.app.service;
        self.record.verified_since(&self.claim, service.now(), &service.limits()).is_some()
    }

    fn verification(&self, call: &Call) -> &'static str {
        match &self.claim.phase {
            _ if self.held_on().is_some() || self.is_verified(call) => "VERIFIED",
            ClaimPhase::Verified { .. } => "EXPIRED",
            ClaimPhase::Unverified | ClaimPhase::AwaitingCode(_) => "NOT_VERIFIED",
        }
    }

    fn status(&self, call: &Call) -> &'static str {
        match (self.held_on(), self.verification(call)) {
            (Some(_), _) => "CONNECTED",
            // Given up, or lost to somebody else.
            (None, "NOT_VERIFIED") if self.claim.history.registered_at.is_some() => "DISCONNECTED",
            (None, "NOT_VERIFIED") => "UNVERIFIED",
            (None, _) => "PENDING",
        }
    }

    fn platform(&self) -> &'static str {
        match self.held_on() {
            Some(Platform::CloudApi) => "CLOUD_API",
            Some(Platform::OnPremise { .. }) => "ON_PREMISE",
            None => "NOT_APPLICABLE",
        }
    }

    fn throughput(&self) -> &'static str {
        match self.held_on() {
            Some(Platform::CloudApi) => "STANDARD",
            Some(Platform::OnPremise { .. }) | None => "NOT_APPLICABLE",
        }
    }

    /// Whether a PIN is in force; not told while somebody else runs the number.
    fn shows_pin(&self) -> bool {
        let held = self.record.registration.as_ref();
        self.record.two_step.is_some() && held.is_none_or(|held| held.claim == self.claim.id)
    }

    /// `EXPIRED`: approved, and not registered again in time.
    fn new_name_status(&self, call: &Call) -> &'static str {
        let Some(new) = &self.claim.new_name else { return "NONE" };
        let is_approved = matches!(new.review, NameReview::Approved { .. });
        if is_approved && !new.is_ready(call.app.service.now()) {
            return "EXPIRED";
        }
        name_status(new.review)
    }

    /// Since when the claim runs the number; before that, since when there is the claim.
    fn onboarded_at(&self) -> Timestamp {
        ClaimMoment::Onboarded.of(&self.record, &self.claim)
    }

    fn health(&self, call: &Call) -> Value {
        let fault = match self.status(call) {
            "CONNECTED" => None,
            "PENDING" => Some((133_010, "Account not registered", "Register the number.")),
            _ => Some((133_006, "Number is not verified", "Request a code and confirm it.")),
        };
        let can_send = if fault.is_none() { "AVAILABLE" } else { "BLOCKED" };
        let mut number = json!({
            "entity_type": "PHONE_NUMBER",
            "id": self.claim.id.as_str(),
            "can_send_message": can_send,
        });
        if let Some((code, description, solution)) = fault {
            number["errors"] = json!([{
                "error_code": code,
                "error_description": description,
                "possible_solution": solution,
            }]);
        }
        let waba = json!({
            "entity_type": "WABA",
            "id": self.claim.waba.as_str(),
            "can_send_message": "AVAILABLE",
        });
        json!({ "can_send_message": can_send, "entities": [number, waba] })
    }
}

fn name_status(review: NameReview) -> &'static str {
    match review {
        NameReview::Pending => "PENDING_REVIEW",
        NameReview::Approved { .. } => "APPROVED",
        NameReview::Declined { .. } => "DECLINED",
    }
}

fn certificate_status(review: NameReview) -> &'static str {
    match review {
        NameReview::Pending => "NAME_PENDING_REVIEW",
        NameReview::Approved { .. } => "APPROVED",
        NameReview::Declined { .. } => "NAME_NOT_APPROVED",
    }
}

/// `2026-11-22T04:29:29+0000`.
fn moment(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}
