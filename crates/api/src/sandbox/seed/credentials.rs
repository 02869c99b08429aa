//! What callers of the hosted dialects show: keys, tokens, RAM users and policies of a seed file.

use std::collections::HashSet;

use service::directory::GraphScopes;
use service::ram::SystemPolicy;
use service::seed::{
    SeedAccessKey, SeedCredentials, SeedGraphToken, SeedPolicy, SeedRamUser, SeedTemporaryKey,
};

use super::accounts::{id_text, not_empty, secret};
use super::reader::Section;

/// The credentials of an account.
pub(super) fn credentials(account: &Section<'_>) -> SeedCredentials {
    let policies: Vec<_> = account.sections("policy").iter().filter_map(policy).collect();
    let attachable: HashSet<_> = policies.iter().map(|policy| policy.name.as_str()).collect();
    SeedCredentials {
        access_keys: access_keys(account),
        temporary_keys: account.sections("temporary_key").iter().filter_map(temporary).collect(),
        graph_tokens: account.sections("graph_token").iter().filter_map(graph_token).collect(),
        users: account.sections("user").iter().filter_map(|it| user(it, &attachable)).collect(),
        policies,
    }
}

fn access_keys(owner: &Section<'_>) -> Vec<SeedAccessKey> {
    let read = |section: &Section<'_>| {
        section.knows(&["id", "secret"]);
        access_key(section)
    };
    owner.sections("access_key").iter().filter_map(read).collect()
}

fn access_key(section: &Section<'_>) -> Option<SeedAccessKey> {
    let id = section.needed("id", not_empty);
    if let Some(id) = &id {
        section.unique("access key", "id", id);
    }
    let secret = section.needed("secret", secret);
    Some(SeedAccessKey { id: id?, secret: secret? })
}

fn temporary(section: &Section<'_>) -> Option<SeedTemporaryKey> {
    section.knows(&["id", "secret", "security_token", "expires_at"]);
    let key = access_key(section);
    let security_token = section.needed("security_token", secret);
    if !section.has("expires_at") {
        section.problem("expires_at", "is missing");
    }
    let expires_at = section.moment("expires_at");
    Some(SeedTemporaryKey { key: key?, security_token: security_token?, expires_at: expires_at? })
}

fn graph_token(section: &Section<'_>) -> Option<SeedGraphToken> {
    section.knows(&["token", "name", "scopes", "wabas", "expires_at"]);
    let token = section.needed("token", secret)?;
    section.unique("graph token", "token", token.reveal());
    let mut wabas = Vec::new();
    for waba in section.texts("wabas") {
        match id_text(&waba) {
            Ok(waba) => wabas.push(waba),
            Err(problem) => section.problem("wabas", &problem.to_string()),
        }
    }
    Some(SeedGraphToken {
        token,
        name: section.text("name", not_empty).unwrap_or_else(|| "seed".to_owned()),
        scopes: scopes(section),
        wabas,
        expires_at: section.moment("expires_at"),
    })
}

/// The scopes named, both if none is.
fn scopes(section: &Section<'_>) -> GraphScopes {
    if !section.has("scopes") {
        return GraphScopes::ALL;
    }
    let mut scopes = GraphScopes::default();
    for name in section.texts("scopes") {
        match name.as_str() {
            "whatsapp_business_management" => scopes.management = true,
            "whatsapp_business_messaging" => scopes.messaging = true,
            _ => section.problem("scopes", &format!("there is no scope {name}")),
        }
    }
    scopes
}

fn user(section: &Section<'_>, attachable: &HashSet<&str>) -> Option<SeedRamUser> {
    section.knows(&["name", "policies", "access_key"]);
    let name = section.needed("name", not_empty);
    let policies = section.texts("policies");
    let is_known = |name: &str| attachable.contains(name) || SystemPolicy::parse(name).is_some();
    for policy in policies.iter().filter(|name| !is_known(name)) {
        section.problem("policies", &format!("this account has no policy {policy}"));
    }
    let access_keys = access_keys(section);
    Some(SeedRamUser { name: name?, policies, access_keys })
}

fn policy(section: &Section<'_>) -> Option<SeedPolicy> {
    section.knows(&["name", "document"]);
    let name = section.needed("name", not_empty);
    let document =
        section.needed("document", |text| match serde_json::from_str::<serde_json::Value>(text) {
            Ok(document) if document["Statement"].is_array() => Ok(text.to_owned()),
            Ok(_) => Err("must be a policy: a JSON object with a Statement list".to_owned()),
            Err(error) => Err(format!("must be JSON: {error}")),
        });
    Some(SeedPolicy { name: name?, document: document? })
}
