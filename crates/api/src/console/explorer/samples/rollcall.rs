//! The command line of Rollcall itself: `rollcall call`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Call, body_text, shell};
use crate::cams::signature::Family;
use crate::console::explorer::data::Dialect;

pub(super) fn write(call: &Call) -> Option<String> {
    let mut parts = vec![format!("rollcall call --server {}", shell(&call.base))];
    if call.operation.dialect == Dialect::Cams {
        parts.push(format!("cams {}", call.operation.id));
        if call.family == Family::V1 {
            parts.push("--signature rpc".to_owned());
        }
        let pair = |(name, value): (String, String)| shell(&format!("{name}={value}"));
        let values = call.values.iter().map(|(field, value)| (field.name.clone(), value.clone()));
        parts.extend(values.map(pair));
        return Some(parts.join(" \\\n  ") + "\n");
    }
    let dialect = call.operation.dialect.as_str();
    parts.push(format!("{dialect} {} {}", call.operation.method, shell(&call.target())));
    if let Some((body, kind)) = call.body().ok()? {
        if kind != "application/json" {
            parts.push(format!("--content-type {}", shell(kind)));
        }
        parts.push(match body_text(&body) {
            Some(text) => format!("--body {}", shell(text)),
            None => format!("--body-base64 {}", shell(&STANDARD.encode(&body))),
        });
    }
    Some(parts.join(" \\\n  ") + "\n")
}
