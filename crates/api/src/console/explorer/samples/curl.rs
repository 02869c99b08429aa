//! curl in a shell. For CAMS the shell signs as well, with openssl, step by step.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service::acs3::{canonical_query, encode_into};

use super::{Call, GRAPH_TOKEN, KEY, ONPREM_TOKEN, PASSWORD, SECRET, USER, body_text, shell};
use crate::cams::gateway::VERSION;
use crate::cams::signature::Family;
use crate::console::explorer::data::{Auth, Dialect, Place};

pub(super) fn write(call: &Call) -> Option<String> {
    match (call.operation.dialect, call.family) {
        (Dialect::Cams, Family::V3) => Some(acs3(call)),
        (Dialect::Cams, Family::V1) => Some(rpc(call)),
        (Dialect::Onprem | Dialect::Graph, _) => plain(call),
    }
}

fn encoded(pairs: &[(String, String)]) -> String {
    canonical_query(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn acs3(call: &Call) -> String {
    let (query, body) = (encoded(&call.pairs(Place::Query)), encoded(&call.pairs(Place::Form)));
    let (action, host, base) = (&call.operation.id, call.host(), &call.base);
    let form = if body.is_empty() { "" } else { " \\\n  -d \"$body\"" };
    format!(
        r#"query='{query}'
body='{body}'
date=$(date -u +%Y-%m-%dT%H:%M:%SZ)
nonce=$(openssl rand -hex 16)
content=$(printf %s "$body" | openssl dgst -sha256 -r | cut -d' ' -f1)
headers='host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version'
canonical="POST
/
$query
host:{host}
x-acs-action:{action}
x-acs-content-sha256:$content
x-acs-date:$date
x-acs-signature-nonce:$nonce
x-acs-version:{VERSION}

$headers
$content"
digest=$(printf %s "$canonical" | openssl dgst -sha256 -r | cut -d' ' -f1)
signature=$(printf 'ACS3-HMAC-SHA256\n%s' "$digest" |
  openssl dgst -sha256 -hmac "${SECRET}" -r | cut -d' ' -f1)
curl -sS -X POST "{base}/?$query"{form} \
  -H "x-acs-action: {action}" \
  -H "x-acs-content-sha256: $content" \
  -H "x-acs-date: $date" \
  -H "x-acs-signature-nonce: $nonce" \
  -H "x-acs-version: {VERSION}" \
  -H "authorization: ACS3-HMAC-SHA256 Credential=${KEY},SignedHeaders=$headers,Signature=$signature"
"#
    )
}

fn rpc(call: &Call) -> String {
    let own = [call.pairs(Place::Query), call.pairs(Place::Form)].concat();
    let escape = |text: &str| {
        let mut escaped = String::new();
        encode_into(&mut escaped, text);
        escaped
    };
    let mut all: Vec<_> = own.iter().map(|(name, value)| (escape(name), escape(value))).collect();
    // The shell fills in what changes: none of it has a character that would be escaped.
    for (name, value) in [
        ("AccessKeyId", format!("${KEY}").as_str()),
        ("Action", &call.operation.id),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureNonce", "$nonce"),
        ("SignatureVersion", "1.0"),
        ("Timestamp", "$timestamp"),
        ("Version", VERSION),
    ] {
        all.push((name.to_owned(), value.to_owned()));
    }
    all.sort();
    let pairs: Vec<_> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let base = &call.base;
    format!(
        r#"timestamp=$(date -u +%Y-%m-%dT%H%%3A%M%%3A%SZ)
nonce=$(openssl rand -hex 16)
parameters="{}"
encoded=$(printf %s "$parameters" | sed 's/%/%25/g; s/&/%26/g; s/=/%3D/g')
signature=$(printf 'POST&%%2F&%s' "$encoded" |
  openssl dgst -sha1 -hmac "${SECRET}&" -binary | base64)
curl -sS -X POST "{base}/" -d "$parameters" --data-urlencode "Signature=$signature"
"#,
        pairs.join("&")
    )
}

fn plain(call: &Call) -> Option<String> {
    let url = shell(&format!("{}{}", call.base, call.target()));
    let mut lines = vec![format!("curl -sS -X {} {url}", call.operation.method)];
    lines.push(match (call.operation.dialect, call.operation.auth) {
        (_, Some(Auth::Basic)) => format!("-u \"${USER}:${PASSWORD}\""),
        (Dialect::Graph, None) => format!("-H \"authorization: Bearer ${GRAPH_TOKEN}\""),
        (_, None) => format!("-H \"authorization: Bearer ${ONPREM_TOKEN}\""),
    });
    let mut before = String::new();
    if let Some((body, kind)) = call.body().ok()? {
        lines.push(format!("-H {}", shell(&format!("content-type: {kind}"))));
        if let Some(text) = body_text(&body) {
            lines.push(format!("--data-binary {}", shell(text)));
        } else {
            before = format!("printf %s {} | base64 -d |\n  ", shell(&STANDARD.encode(&body)));
            lines.push("--data-binary @-".to_owned());
        }
    }
    Some(format!("{before}{}\n", lines.join(" \\\n  ")))
}
