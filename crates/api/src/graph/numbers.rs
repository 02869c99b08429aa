//! What is done with numbers: add, change, request a code, confirm, register, give up (§2.2, §2.5 to §2.9).

use registration::{
    CodeMethod, Holding, Locale, Platform, TextId as _, TwoStepPin, VerificationCode, VerifiedName,
};
use serde_json::{Value, json};
use service::backup::GivenBackup;
use service::numbering::{self, Planned, international_format};
use service::numbers::{ClaimName, CodeAnswer, CodeOrder, PinInput, RegisterOrder};

use super::call::{Call, Phone};
use super::failure::Failure;
use super::reply::done;
use super::{codes, node, webhooks};

/// Characters of a display name (§2.2).
const NAME_CHARS: core::ops::RangeInclusive<usize> = 2..=75;

/// Longest password of a backup, as On-Premises: it is hashed, so that length costs.
const BACKUP_PASSWORD_BYTES_MAX: usize = 1024;

/// Regions in which messages can be kept (§2.8).
const REGIONS: [&str; 14] =
    ["AE", "AU", "BH", "BR", "CA", "CH", "DE", "GB", "ID", "IN", "JP", "KR", "SG", "ZA"];

/// `POST /{waba}/phone_numbers`: the id of the new number, and fields of it if they are asked for.
pub(super) async fn add(call: &Call) -> Result<Value, Failure> {
    let waba = call.waba().await?;
    let fields = call.fields()?;
    let planned = number(call)?;
    let migrates = call.parameters.flag("migrate_phone_number")?;
    let name = match display_name(call, "verified_name")? {
        Some(name) => name,
        // A migration brings no name: the number keeps its own, and until then shows itself.
        None if migrates => VerifiedName::parse(&international_format(planned.number))
            .map_err(|_| codes::INTERNAL)?,
        None => return Err(Failure::missing("verified_name")),
    };
    let name = ClaimName { name, certificate_serial: None, is_vouched_for: false };
    let (service, caller) = (&call.app.service, call.caller());
    let added = if migrates {
        service.start_migration(&caller, &waba.id, planned.number, &name).await
    } else {
        service.add_new_number(&caller, &waba.id, planned.number, &name).await
    };
    let added = added.map_err(|error| call.failure(error))?;
    let Some(claim) = added.record.claim_of(&waba.id).cloned() else {
        tracing::error!("bug: a number was added and has no claim");
        return Err(codes::INTERNAL.into());
    };
    let id = claim.id.as_str().to_owned();
    if fields.is_empty() {
        return Ok(json!({ "id": id }));
    }
    Ok(node::phone(call, &Phone { record: added.record, claim }, &fields))
}

/// `POST /{phone}`: the two-step PIN, another display name, an endpoint of its own. Settings that mean nothing to a registrar are taken
/// and left alone.
pub(super) async fn change(call: &Call) -> Result<Value, Failure> {
    let phone = call.phone().await?;
    let data = call.parameters.nested("whatsapp_business_api_data")?.unwrap_or_default();
    let given = if call.parameters.has("pin") { call.parameters.text("pin") } else { None };
    let asked = call.parameters.has("pin") || data.get("pin").is_some();
    let text = given.or_else(|| data["pin"].as_str().map(str::to_owned)).unwrap_or_default();
    let pin = if asked { Some(pin(&text)?) } else { None };
    let name = display_name(call, "new_display_name")?;
    if let Some(given) = call.parameters.nested("webhook_configuration")? {
        webhooks::configure(call, &phone, &given).await?;
    }
    let (service, number) = (&call.app.service, phone.record.number);
    if let Some(name) = name {
        let changed = service.request_name(&call.caller(), &phone.claim.waba, number, name).await;
        changed.map_err(|error| call.failure(error))?;
    }
    if let Some(pin) = pin {
        let holder = Some(Holding::Waba(phone.claim.waba.clone()));
        let set = service.set_two_step(&call.caller(), number, holder, &pin).await;
        set.map_err(|error| call.failure(error))?;
    }
    Ok(done())
}

/// `POST /{phone}/request_code`.
pub(super) async fn request_code(call: &Call) -> Result<Value, Failure> {
    let phone = call.phone().await?;
    let method = match call.parameters.needed("code_method")?.as_str() {
        "SMS" => CodeMethod::Sms,
        "VOICE" => CodeMethod::Voice,
        _ => return Err(Failure::invalid("code_method", "must be one of {SMS, VOICE}")),
    };
    // An older collection of Meta's calls it `locale` (§2.6).
    let language = call.parameters.any_text(&["language", "locale"]);
    let language = language.ok_or_else(|| Failure::missing("language"))?;
    let locale = Locale::parse(&language)
        .filter(|_| is_language(&language))
        .ok_or_else(|| Failure::invalid("language", "must be a language such as en or en_US"))?;
    let planned = numbering::plan_e164(&phone.record.number.digits())
        .map_err(|fault| Failure::invalid("phone_number", format!("is no number: {fault}")))?;
    let order = CodeOrder {
        payer: call.token.account.clone(),
        waba: phone.claim.waba.clone(),
        client: None,
        planned,
        method,
        locale,
        pin: PinInput::NotAsked,
        claim: None,
        only_unproven: true,
    };
    let sent = call.app.service.request_code(&call.caller(), &order).await;
    sent.map_err(|error| call.failure(error))?;
    Ok(done())
}

/// `POST /{phone}/verify_code`.
pub(super) async fn verify_code(call: &Call) -> Result<Value, Failure> {
    let phone = call.phone().await?;
    let code = VerificationCode::parse(&call.parameters.needed("code")?)
        .map_err(|_| Failure::invalid("code", "must be a code of 6 digits"))?;
    let answer = CodeAnswer {
        waba: phone.claim.waba.clone(),
        number: phone.record.number,
        code: Some(code),
        register: None,
    };
    let verified = call.app.service.verify_code(&call.caller(), &answer).await;
    verified.map_err(|error| call.failure(error))?;
    Ok(json!({ "success": true, "id": phone.claim.id.as_str() }))
}

/// `POST /{phone}/register`: sets the PIN if two-step verification is off, checks it if it is on.
pub(super) async fn register(call: &Call) -> Result<Value, Failure> {
    let phone = call.phone().await?;
    both_scopes(call)?;
    let product = call.parameters.needed("messaging_product")?;
    if !product.eq_ignore_ascii_case("whatsapp") {
        return Err(Failure::invalid("messaging_product", "must be one of {whatsapp}"));
    }
    let pin = pin(&call.parameters.needed("pin")?)?;
    if let Some(region) = call.parameters.text("data_localization_region")
        && !REGIONS.contains(&region.as_str())
    {
        let problem = format!("must be one of {{{}}}", REGIONS.join(", "));
        return Err(Failure::invalid("data_localization_region", problem));
    }
    let backup = backup(call)?;
    let order = RegisterOrder {
        platform: Platform::CloudApi,
        pin: PinInput::Given(pin.clone()),
        set_pin: Some(pin),
    };
    let (service, number) = (&call.app.service, phone.record.number);
    let (caller, waba) = (call.caller(), &phone.claim.waba);
    let done = match &backup {
        None => service.register(&caller, waba, number, &order).await,
        Some(backup) => {
            let given = GivenBackup { password: &backup.password, data: &backup.data };
            service.register_with_backup(&caller, waba, number, &order, given).await
        }
    };
    done.map_err(|error| call.failure(error))?;
    Ok(super::reply::done())
}

/// A backup that an On-Premises client made.
struct Backup {
    data: String,
    password: String,
}

/// `backup{data,password}`: both or none (§8.1).
fn backup(call: &Call) -> Result<Option<Backup>, Failure> {
    let Some(given) = call.parameters.nested("backup")? else { return Ok(None) };
    let member = |name: &str| {
        let text = given[name].as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| Failure::missing(&format!("backup.{name}")))
    };
    let (data, password) = (member("data")?, member("password")?);
    if password.len() > BACKUP_PASSWORD_BYTES_MAX {
        return Err(Failure::invalid("backup.password", "must not be longer than 1024 bytes"));
    }
    Ok(Some(Backup { data: data.split_ascii_whitespace().collect(), password }))
}

/// `POST /{phone}/deregister`.
pub(super) async fn deregister(call: &Call) -> Result<Value, Failure> {
    let phone = call.phone().await?;
    both_scopes(call)?;
    let (service, number) = (&call.app.service, phone.record.number);
    let done = service.deregister(&call.caller(), Some(&phone.claim.waba), number).await;
    done.map_err(|error| call.failure(error))?;
    Ok(super::reply::done())
}

/// Registering and giving up ask for messaging besides management (§1).
fn both_scopes(call: &Call) -> Result<(), Failure> {
    if call.token.scopes.messaging {
        return Ok(());
    }
    Err(Failure::no_scope("whatsapp_business_messaging"))
}

/// `cc` and `phone_number`, or the whole number in `phone_number`, in any of the documented spellings.
fn number(call: &Call) -> Result<Planned, Failure> {
    let plain = |text: String| -> String {
        text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect()
    };
    // One public client says `country_code` (§10.2).
    let cc = call.parameters.any_text(&["cc", "country_code"]).map(plain);
    let number = plain(call.parameters.needed("phone_number")?);
    let planned = match cc {
        Some(cc) if !number.starts_with('+') => {
            numbering::plan(cc.strip_prefix('+').unwrap_or(&cc), &number)
        }
        Some(_) | None => numbering::plan_e164(&number),
    };
    planned.map_err(|fault| {
        Failure::from(codes::NUMBER)
            .with_message(format!("(#100) Param phone_number is not valid: {fault}"))
            .with_details(format!("Parameter phone_number is not valid: {fault}."))
    })
}

/// A display name, if one was given.
pub(super) fn display_name(call: &Call, parameter: &str) -> Result<Option<VerifiedName>, Failure> {
    let Some(text) = call.parameters.text(parameter) else { return Ok(None) };
    if !NAME_CHARS.contains(&text.chars().count()) {
        return Err(Failure::invalid(parameter, "must have 2 to 75 characters"));
    }
    let name = VerifiedName::parse(&text);
    name.map(Some).map_err(|fault| Failure::invalid(parameter, format!("is not valid: {fault}")))
}

fn pin(text: &str) -> Result<TwoStepPin, Failure> {
    TwoStepPin::parse(text).map_err(|_| Failure::invalid("pin", "must be a 6-digit string"))
}

/// `en` or `en_US`, in this case (§9.2).
fn is_language(text: &str) -> bool {
    let (language, region) = text.split_once('_').map_or((text, None), |(l, r)| (l, Some(r)));
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && region.is_none_or(|region| {
            region.len() == 2 && region.bytes().all(|byte| byte.is_ascii_uppercase())
        })
}
