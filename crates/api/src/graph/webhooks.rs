//! Webhooks: to which WABAs the account's app listens, and where it is told (§7.1).

use registration::TextId as _;
use serde_json::{Value, json};
use service::callbacks::{GRAPH_FIELDS, HandshakeFault, Subscribed, Subscriber};
use service::directory::{EntityRef, Webhook, WebhookScope};
use service::seed::SecretText;

use super::call::{Call, Phone};
use super::codes;
use super::failure::Failure;
use super::reply::done;
use super::tokens::app_id;

/// What an app subscribes to.
const OBJECT: &str = "whatsapp_business_account";

/// Longest verify token (our bound).
const TOKEN_CHARS_MAX: usize = 512;

/// `GET /{waba}/subscribed_apps`: the app of the account, if it listens to the WABA.
pub(super) async fn subscribed_apps(call: &Call) -> Result<Value, Failure> {
    let waba = call.waba().await?;
    let listens = call.app.service.is_subscribed(&waba.id).await;
    if !listens.map_err(|error| call.failure(error))? {
        return Ok(json!({ "data": [] }));
    }
    let (id, name) = (app_id(call), call.token.account.as_str());
    let link = format!("https://www.facebook.com/games/?app_id={id}");
    let data = json!({ "id": id, "name": name, "link": link });
    let mut app = json!({ "id": id, "name": name, "whatsapp_business_api_data": data });
    if let Some(own) = webhook(call, &WebhookScope::Waba(waba.id)).await? {
        app["override_callback_uri"] = json!(own.url);
    }
    Ok(json!({ "data": [app] }))
}

/// `POST /{waba}/subscribed_apps`: listens at the app's own endpoint, or at another one for this WABA.
pub(super) async fn subscribe(call: &Call) -> Result<Value, Failure> {
    let waba = call.waba().await?;
    let endpoint = match call.parameters.text("override_callback_uri") {
        None => None,
        Some(url) => {
            let verify_token = verify_token(call.parameters.text("verify_token"))?;
            Some(Subscriber { url, verify_token, fields: Vec::new() })
        }
    };
    let set = call.app.service.subscribe(&call.caller(), &waba, endpoint.as_ref()).await;
    told(set.map_err(|error| call.failure(error))?, "override_callback_uri")
}

/// `DELETE /{waba}/subscribed_apps`: also where there is none.
pub(super) async fn unsubscribe(call: &Call) -> Result<Value, Failure> {
    let waba = call.waba().await?;
    let gone = call.app.service.unsubscribe(&call.caller(), &waba).await;
    gone.map_err(|error| call.failure(error))?;
    Ok(done())
}

/// `webhook_configuration` of `POST /{phone}`: an endpoint for this number; empty takes it away.
pub(super) async fn configure(call: &Call, phone: &Phone, given: &Value) -> Result<(), Failure> {
    let text = |name: &str| given[name].as_str().map(str::trim).filter(|text| !text.is_empty());
    let endpoint = match text("override_callback_uri") {
        None => None,
        Some(url) => Some(Subscriber {
            url: url.to_owned(),
            verify_token: verify_token(text("verify_token").map(str::to_owned))?,
            fields: Vec::new(),
        }),
    };
    let (claim, waba) = (phone.claim.id.clone(), phone.claim.waba.clone());
    let scope = WebhookScope::Number { claim, waba };
    let account = &call.token.account;
    let set = call.app.service.point_app(&call.caller(), account, scope, endpoint.as_ref()).await;
    told(set.map_err(|error| call.failure(error))?, "override_callback_uri").map(drop)
}

/// `webhook_configuration` as a number shows it: the nearest endpoint counts.
pub(super) async fn configuration(call: &Call, phone: &Phone) -> Result<Value, Failure> {
    let waba = phone.claim.waba.clone();
    let claim = phone.claim.id.clone();
    let mut shown = json!({});
    for (name, scope) in [
        ("phone_number", WebhookScope::Number { claim, waba: waba.clone() }),
        ("whatsapp_business_account", WebhookScope::Waba(waba)),
        ("application", WebhookScope::Account(call.token.account.clone())),
    ] {
        if let Some(webhook) = webhook(call, &scope).await? {
            shown[name] = json!(webhook.url);
        }
    }
    Ok(shown)
}

/// `GET /{app}/subscriptions`: where the app is told, and what.
pub(super) async fn subscriptions(call: &Call) -> Result<Value, Failure> {
    own_app(call)?;
    let found = webhook(call, &WebhookScope::Account(call.token.account.clone())).await?;
    let shown = found.map(|webhook| {
        let details: Value = serde_json::from_str(&webhook.details).unwrap_or_default();
        let named = details["fields"].as_array().filter(|fields| !fields.is_empty());
        let named: Vec<&str> = match named {
            Some(fields) => fields.iter().filter_map(Value::as_str).collect(),
            None => GRAPH_FIELDS.to_vec(),
        };
        let fields: Vec<_> =
            named.iter().map(|name| json!({ "name": name, "version": "v25.0" })).collect();
        json!({
            "object": OBJECT,
            "callback_url": webhook.url,
            "active": webhook.is_listening(),
            "fields": fields,
        })
    });
    Ok(json!({ "data": shown.into_iter().collect::<Vec<_>>() }))
}

/// `POST /{app}/subscriptions`: the endpoint for all WABAs that the app listens to.
pub(super) async fn subscribe_app(call: &Call) -> Result<Value, Failure> {
    own_app(call)?;
    if call.parameters.needed("object")? != OBJECT {
        return Err(Failure::invalid("object", format!("must be one of {{{OBJECT}}}")));
    }
    let endpoint = Subscriber {
        url: call.parameters.needed("callback_url")?,
        verify_token: verify_token(call.parameters.text("verify_token"))?,
        fields: fields(call)?,
    };
    let account = &call.token.account;
    let scope = WebhookScope::Account(account.clone());
    let set = call.app.service.point_app(&call.caller(), account, scope, Some(&endpoint)).await;
    told(set.map_err(|error| call.failure(error))?, "callback_url")
}

/// `DELETE /{app}/subscriptions`.
pub(super) async fn unsubscribe_app(call: &Call) -> Result<Value, Failure> {
    own_app(call)?;
    let account = &call.token.account;
    let scope = WebhookScope::Account(account.clone());
    let set = call.app.service.point_app(&call.caller(), account, scope, None).await;
    told(set.map_err(|error| call.failure(error))?, "callback_url")
}

/// The path must name the app of the token's account.
fn own_app(call: &Call) -> Result<(), Failure> {
    if call.node == app_id(call) { Ok(()) } else { Err(call.no_object()) }
}

/// The webhook about something, if it has an address.
async fn webhook(call: &Call, scope: &WebhookScope) -> Result<Option<Webhook>, Failure> {
    let key = EntityRef::webhook("graph", scope);
    let found = call.app.service.entity(&key).await.map_err(|error| call.failure(error))?;
    let found = found.and_then(|found| found.value.into_webhook());
    Ok(found.filter(|webhook| !webhook.url.is_empty()))
}

/// `fields`: names with commas between, or a list.
fn fields(call: &Call) -> Result<Vec<String>, Failure> {
    let list = call.parameters.nested("fields").ok().flatten();
    let text = call.parameters.text("fields").unwrap_or_default();
    let named: Vec<String> = match list.as_ref().and_then(Value::as_array) {
        Some(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => text.split(',').map(|name| name.trim().to_owned()).collect(),
    };
    let named: Vec<_> = named.into_iter().filter(|name| !name.is_empty()).collect();
    let is_field = |name: &String| {
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && name.len() <= 64
    };
    if named.len() > 64 || !named.iter().all(is_field) {
        return Err(Failure::invalid("fields", "must be names of webhook fields"));
    }
    Ok(named)
}

fn verify_token(given: Option<String>) -> Result<SecretText, Failure> {
    let token = given.ok_or_else(|| Failure::missing("verify_token"))?;
    if token.chars().count() > TOKEN_CHARS_MAX {
        return Err(Failure::invalid("verify_token", "is too long"));
    }
    Ok(SecretText::new(&token))
}

fn told(set: Subscribed, parameter: &str) -> Result<Value, Failure> {
    match set {
        Subscribed::Done => Ok(done()),
        Subscribed::BadUrl(fault) => {
            Err(Failure::invalid(parameter, format_args!("is no address to post to: {fault}")))
        }
        Subscribed::NotListening => Err(Failure::malformed(
            "Before override the current callback uri, your app must be subscribed to receive messages for \
             WhatsApp Business Account",
        )),
        Subscribed::Unverified(fault) => {
            let why = match fault {
                HandshakeFault::WrongAnswer => {
                    "the endpoint did not repeat hub.challenge".to_owned()
                }
                HandshakeFault::Unanswered(why) => why,
            };
            Err(Failure::from(codes::CALLBACK)
                .with_message(format!(
                    "(#2200) Callback verification failed with the following errors: {why}"
                ))
                .with_details(
                    "Answer GET with hub.verify_token by status 200 and hub.challenge alone.",
                ))
        }
    }
}
