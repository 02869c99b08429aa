//! `/v1/settings/application`, `/v1/settings/business/…`, `/v1/settings/profile/about`
//! (On-Premises reference §5.2, §5.3).

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use registration::PhoneNumber;
use serde_json::json;

use super::call::{AdminCall, RawBody, object, text};
use super::reply::{Backing, Fault, done, success};
use super::sheet::Initial::{Flag, Hidden, Number, Text, Words};
use super::sheet::{Initial, Key, Kind, Sheet};
use crate::state::App;

/// A day in milliseconds: longest back-off that is accepted (our bound; none is documented).
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Every kind of media.
const MEDIA: &[&str] = &["image", "audio", "video", "voice", "document", "sticker"];

/// What `entity_type` may be, as in Meta's compliance information.
const ENTITY_TYPES: &[&str] = &[
    "LIMITED_LIABILITY_PARTNERSHIP",
    "SOLE_PROPRIETORSHIP",
    "PARTNERSHIP",
    "PUBLIC_COMPANY",
    "PRIVATE_COMPANY",
    "OTHER",
];

/// §5.2. Nothing here changes how Rollcall works, since messages pass elsewhere; the keys are kept and
/// shown for the programs that write them, read them back, and carry them in backups.
#[rustfmt::skip]
const APPLICATION: Sheet = Sheet {
    document: "application",
    place: &["application"],
    keys: &[
        key("callback_backoff_delay_ms", Kind::Number(0, DAY_MS), Number(3_000), "step of the callback back-off"),
        key("max_callback_backoff_delay_ms", Kind::Number(0, DAY_MS), Number(900_000), "cap of the callback back-off"),
        key("callback_persist", Kind::Flag, Flag(true), "callbacks wait on disk; restart needed"),
        key("media.auto_download", Kind::Words(MEDIA), Words(MEDIA), "media fetched unasked"),
        key("webhooks.url", Kind::HttpsUrl, Text(""), "where callbacks go"),
        key("webhooks.max_concurrent_requests", Kind::OneOf(&[6, 12, 18, 24]), Number(6), "callbacks at once; restart needed"),
        // From v2.41.2, in place of sent_status; the defaults are those of the documented sample.
        key("webhooks.message.sent", Kind::Flag, Flag(true), "callback when sent"),
        key("webhooks.message.delivered", Kind::Flag, Flag(true), "callback when delivered"),
        key("webhooks.message.read", Kind::Flag, Flag(false), "callback when read"),
        key("garbagecollector_enable.media", Kind::Flag, Flag(false), "old media are deleted; restart needed"),
        key("garbagecollector_enable.messages", Kind::Flag, Flag(true), "old messages are deleted; restart needed"),
        key("heartbeat_interval", Kind::Number(1, 3_600), Number(5), "seconds between signs of life in a cluster"),
        key("unhealthy_interval", Kind::Number(1, 3_600), Number(30), "seconds without one until a node counts as down"),
        key("notify_user_change_number", Kind::Flag, Flag(true), "told when a user changes number"),
        key("show_security_notifications", Kind::Flag, Flag(false), "told when a security code changes"),
        key("log_level", Kind::Text(32), Text("info"), "what Coreapp logs"),
        key("verbose_logging", Kind::Flag, Flag(false), "Coreapp logs more"),
        // Of older builds, or seen in samples only: kept once set.
        key("skip_referral_media_download", Kind::Flag, Hidden, "media of referrals are left"),
        key("axolotl_context_striping_disabled", Kind::Flag, Hidden, "encryption contexts are not striped"),
        key("on_call_pager", Kind::Text(256), Hidden, "whom to page"),
        key("sent_status", Kind::Flag, Hidden, "callback when sent, before v2.41.2"),
        key("pass_through", Kind::Flag, Hidden, "messages are not kept, before v2.35"),
        key("db_garbagecollector_enable", Kind::Flag, Hidden, "before garbagecollector_enable; restart needed"),
    ],
};

/// §5.3; the longer limit where two page versions disagree.
#[rustfmt::skip]
const BUSINESS_PROFILE: Sheet = Sheet {
    document: "business_profile",
    place: &["business", "profile"],
    keys: &[
        key("address", Kind::Text(256), Text(""), "of the business"),
        key("description", Kind::Text(512), Text(""), "of the business"),
        key("email", Kind::Text(128), Text(""), "of the business"),
        key("vertical", Kind::Text(128), Text(""), "industry"),
        key("websites", Kind::Texts(2, 256), Words(&[]), "addresses with scheme"),
    ],
};

/// §5.3 names the first three; the others are those of the same form on the hosted platform.
#[rustfmt::skip]
const COMPLIANCE_INFO: Sheet = Sheet {
    document: "compliance_info",
    place: &["business", "compliance_info"],
    keys: &[
        key("entity_name", Kind::Text(128), Text(""), "registered name"),
        key("entity_type", Kind::Word(ENTITY_TYPES), Text(""), "legal form"),
        key("entity_type_custom", Kind::Text(128), Hidden, "legal form, if entity_type is OTHER"),
        key("is_registered", Kind::Flag, Flag(false), "entered in a commercial register"),
        key("grievance_officer_details.name", Kind::Text(128), Hidden, "officer"),
        key("grievance_officer_details.email", Kind::Text(128), Hidden, "officer"),
        key("grievance_officer_details.landline_number", Kind::Text(32), Hidden, "officer"),
        key("grievance_officer_details.mobile_number", Kind::Text(32), Hidden, "officer"),
        key("customer_care_details.email", Kind::Text(128), Hidden, "customer care"),
        key("customer_care_details.landline_number", Kind::Text(32), Hidden, "customer care"),
        key("customer_care_details.mobile_number", Kind::Text(32), Hidden, "customer care"),
    ],
};

/// §5.3; the default is captured.
const ABOUT: Sheet = Sheet {
    document: "about",
    place: &["profile", "about"],
    keys: &[key(
        "text",
        Kind::Text(139),
        Text("Hey there! I am using WhatsApp."),
        "shown under the name",
    )],
};

const fn key(path: &'static str, kind: Kind, default: Initial, note: &'static str) -> Key {
    Key { path, kind, default, note }
}

/// `GET /v1/settings/application`: all keys, and `wa_id` once a number is registered.
pub async fn application(
    State(app): State<App>,
    AdminCall(call): AdminCall,
) -> Result<Response, Fault> {
    call.visit.coreapp_up().await?;
    let mut payload = APPLICATION.show(&call.visit).await?;
    let held = app.service.number_of_client(&call.visit.client.id).await;
    if let Some(record) = held.map_err(|error| call.visit.fault(error))? {
        payload["settings"]["application"]["wa_id"] = json!(PhoneNumber::digits(record.number));
    }
    Ok(success(&app, StatusCode::OK, Backing::Coreapp, payload))
}

/// `PATCH /v1/settings/application`: what is left out stays.
pub async fn change_application(
    state: State<App>,
    call: AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    change(&APPLICATION, state, call, body).await
}

/// `DELETE /v1/settings/application`: back to the defaults.
pub async fn reset_application(
    State(app): State<App>,
    AdminCall(call): AdminCall,
) -> Result<Response, Fault> {
    call.visit.coreapp_up().await?;
    APPLICATION.reset(&call).await?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

/// `GET /v1/settings/business/profile`.
pub async fn business_profile(state: State<App>, call: AdminCall) -> Result<Response, Fault> {
    show(&BUSINESS_PROFILE, state, call).await
}

/// `POST /v1/settings/business/profile`.
pub async fn change_business_profile(
    state: State<App>,
    call: AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    change(&BUSINESS_PROFILE, state, call, body).await
}

/// `GET /v1/settings/business/compliance_info`.
pub async fn compliance_info(state: State<App>, call: AdminCall) -> Result<Response, Fault> {
    show(&COMPLIANCE_INFO, state, call).await
}

/// `POST /v1/settings/business/compliance_info`.
pub async fn change_compliance_info(
    state: State<App>,
    call: AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    change(&COMPLIANCE_INFO, state, call, body).await
}

/// `GET /v1/settings/profile/about`.
pub async fn about(state: State<App>, call: AdminCall) -> Result<Response, Fault> {
    show(&ABOUT, state, call).await
}

/// `PATCH /v1/settings/profile/about`: `text` is required.
pub async fn change_about(
    State(app): State<App>,
    call: AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    text(&app, &object(&app, &body)?, "text")?;
    change(&ABOUT, State(app), call, body).await
}

async fn show(
    sheet: &Sheet,
    State(app): State<App>,
    AdminCall(call): AdminCall,
) -> Result<Response, Fault> {
    call.visit.coreapp_up().await?;
    Ok(success(&app, StatusCode::OK, Backing::Coreapp, sheet.show(&call.visit).await?))
}

async fn change(
    sheet: &Sheet,
    State(app): State<App>,
    AdminCall(call): AdminCall,
    body: RawBody,
) -> Result<Response, Fault> {
    let body = object(&app, &body)?;
    call.visit.coreapp_up().await?;
    sheet.change(&call, &body).await?;
    Ok(done(&app, StatusCode::OK, Backing::Coreapp))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_key_stands_twice_and_every_default_is_a_value_that_the_key_accepts() {
        for sheet in [&APPLICATION, &BUSINESS_PROFILE, &COMPLIANCE_INFO, &ABOUT] {
            let paths: BTreeSet<_> = sheet.keys.iter().map(|key| key.path).collect();
            assert_eq!(paths.len(), sheet.keys.len(), "{}", sheet.document);
            for key in sheet.keys {
                assert!(key.default_fits(), "{}", key.path);
            }
        }
    }
}
