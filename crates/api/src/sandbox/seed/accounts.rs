//! Accounts, spaces, WABAs and clients of a seed file.

use core::fmt;

use registration::{AccountId, ClientId, CustomerSpaceId, TextId, WabaId};
use service::pin_reset::is_mail_address;
use service::seed::{SecretText, SeedAccount, SeedClient, SeedSpace, SeedWaba};

use service::ports::Link;

use super::credentials::credentials;
use super::numbers::{Census, number};
use super::reader::Section;
use crate::admin::{Failure, NewUpstream, RegistrarWord, Secret};

/// An account; `None` if something is wrong with it, which was noted then.
pub(super) fn account(section: &Section<'_>, census: &mut Census) -> Option<SeedAccount> {
    section.knows(&[
        "name",
        "id",
        "subscribed",
        "space",
        "client",
        "access_key",
        "temporary_key",
        "graph_token",
        "user",
        "policy",
    ]);
    let name = section.needed("name", not_empty);
    let key = if section.has("id") { "id" } else { "name" };
    let id: Option<AccountId> = section.text(key, id_text);
    if let Some(id) = &id {
        section.unique("account", key, id.as_str());
    }
    let spaces = section.sections("space");
    let spaces = spaces.iter().filter_map(|it| space(it, census)).collect();
    let clients = section.sections("client");
    let clients = clients.iter().filter_map(client).collect();
    let subscribed = section.flag("subscribed").unwrap_or(true);
    let credentials = credentials(section);
    Some(SeedAccount { id: id?, name: name?, subscribed, spaces, clients, credentials })
}

fn space(section: &Section<'_>, census: &mut Census) -> Option<SeedSpace> {
    section.knows(&["cust_space_id", "name", "waba"]);
    let id: Option<CustomerSpaceId> = section.needed("cust_space_id", id_text);
    if let Some(id) = &id {
        section.unique("space", "cust_space_id", id.as_str());
    }
    let name = section.text("name", not_empty);
    let wabas = section.sections("waba");
    let wabas = wabas.iter().filter_map(|it| waba(it, census)).collect();
    let id = id?;
    Some(SeedSpace { name: name.unwrap_or_else(|| id.to_string()), id, wabas })
}

fn waba(section: &Section<'_>, census: &mut Census) -> Option<SeedWaba> {
    section.knows(&["id", "name", "contact_email", "upstream", "number"]);
    let id: Option<WabaId> = section.needed("id", id_text);
    if let Some(id) = &id {
        section.unique("waba", "id", id.as_str());
    }
    let name = section.text("name", not_empty);
    let contact_email = section.text("contact_email", |text| {
        if is_mail_address(text) { Ok(text.to_owned()) } else { Err("must be a mail address") }
    });
    census.begin_waba();
    let numbers = section.sections("number");
    let numbers = numbers.iter().filter_map(|it| number(it, census)).collect();
    let id = id?;
    let upstreams = section.sections("upstream");
    if upstreams.len() > 1 {
        section.problem("upstream", "a WABA has one authority");
    }
    let upstream = upstreams.first().and_then(|it| upstream(it, &id));
    let name = name.unwrap_or_else(|| id.to_string());
    Some(SeedWaba { name, id, contact_email, upstream, numbers })
}

/// The registrar upstream of a WABA: the same fields as in the operator's API, with the same rules.
fn upstream(section: &Section<'_>, waba: &WabaId) -> Option<Link> {
    section.knows(&[
        "registrar",
        "remote_id",
        "base_url",
        "version",
        "token",
        "app_secret",
        "access_key_id",
        "access_key_secret",
        "security_token",
    ]);
    if !section.has("registrar") {
        section.problem("registrar", "is missing");
    }
    let words = [("meta", RegistrarWord::Meta), ("alibaba", RegistrarWord::Alibaba)];
    let new = NewUpstream {
        registrar: section.word("registrar", &words)?,
        remote_id: section.text("remote_id", not_empty),
        base_url: section.text("base_url", not_empty),
        version: section.text("version", not_empty),
        token: section.text("token", Secret::parse),
        app_secret: section.text("app_secret", Secret::parse),
        access_key_id: section.text("access_key_id", not_empty),
        access_key_secret: section.text("access_key_secret", Secret::parse),
        security_token: section.text("security_token", Secret::parse),
    };
    let link = new.link(waba);
    if let Err(Failure::Invalid(details)) = &link {
        for detail in details {
            section.problem(&detail.field, &detail.problem);
        }
    }
    link.ok()
}

fn client(section: &Section<'_>) -> Option<SeedClient> {
    section.knows(&["name", "waba", "host", "retired", "shards", "api_key", "admin_password"]);
    let id: Option<ClientId> = section.needed("name", id_text);
    if let Some(id) = &id {
        section.unique("client", "name", id.as_str());
    }
    let host = section.text("host", |text| match text {
        "" => Err("must not be empty"),
        text if text.contains([':', '/', ' ']) => Err("must be a host name without port"),
        text => Ok(text.to_ascii_lowercase()),
    });
    if let Some(host) = &host {
        section.unique("host", "host", host);
    }
    let shards = section.count("shards", 32).unwrap_or(1);
    if !shards.is_power_of_two() {
        section.problem("shards", "must be 1, 2, 4, 8, 16 or 32");
    }
    let retired = section.flag("retired").unwrap_or(false);
    let waba = section.text("waba", id_text);
    let api_key = section.text("api_key", secret);
    let admin_password = section.text("admin_password", secret);
    Some(SeedClient {
        id: id?,
        waba,
        host,
        retired,
        shards: u8::try_from(shards).unwrap_or(1),
        api_key,
        admin_password,
    })
}

pub(super) fn id_text<T: TextId>(text: &str) -> Result<T, impl fmt::Display + use<T>> {
    T::parse(text).ok_or("must be 1 to 64 letters, digits, hyphens, underscores or dots")
}

pub(super) fn not_empty(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("must not be empty") } else { Ok(text.trim().to_owned()) }
}

/// A secret is taken as it stands, white space included.
pub(super) fn secret(text: &str) -> Result<SecretText, &'static str> {
    if text.is_empty() { Err("must not be empty") } else { Ok(SecretText::new(text)) }
}
