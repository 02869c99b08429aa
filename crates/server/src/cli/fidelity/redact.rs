//! What may be written down: names of fields, kinds of values, and the words of a list. Everything else is
//! replaced. Numbers, ids and PINs get names that keep only which are the same.

use std::collections::HashMap;

use registration::NumberKind;
use serde_json::{Map, Value, json};
use service::numbering::plan_e164;

/// Parameters that are left out: they prove who calls.
const LEFT_OUT: &[&str] = &[
    "access_token",
    "appsecret_proof",
    "AccessKeyId",
    "Signature",
    "SignatureNonce",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureType",
    "SecurityToken",
    "Timestamp",
    "Action",
    "Version",
    "Format",
];

/// Fields whose texts and numbers are words of the dialect.
const KEPT: &[&str] = &[
    "Code",
    "Locale",
    "Method",
    "Success",
    "account_mode",
    "code_method",
    "code_verification_status",
    "data_localization_region",
    "error_subcode",
    "fields",
    "host_platform",
    "is_transient",
    "language",
    "level",
    "limit",
    "messaging_product",
    "name_status",
    "platform_type",
    "quality_rating",
    "sort",
    "status",
    "success",
    "summary",
    "type",
    "Status",
    "CodeVerificationStatus",
    "NameStatus",
    "QualityRating",
];

/// What stands for a text that says nothing about the form of an answer.
pub(super) const TEXT: &str = "text";
/// What stands for a code.
pub(super) const CODE: &str = "code";

/// Replaces, and remembers by which name: within one record the same value has the same name.
#[derive(Debug, Default)]
pub(super) struct Redactor {
    names: HashMap<(&'static str, String), String>,
    counts: HashMap<&'static str, usize>,
}

impl Redactor {
    /// Parameters of a request.
    pub(super) fn parameters(&mut self, parameters: &Map<String, Value>) -> Map<String, Value> {
        let cc = ["cc", "Cc"].iter().find_map(|name| digits_of(parameters.get(*name)?));
        let kept = parameters.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()));
        kept.map(|(key, value)| {
            let replaced = match (key.as_str(), value) {
                ("phone_number" | "PhoneNumber", value) => {
                    let digits = digits_of(value).unwrap_or_default();
                    self.number(&format!("{}{digits}", cc.as_deref().unwrap_or_default()))
                }
                ("code" | "VerifyCode", _) => json!(CODE),
                (key, value) => self.value(key, value),
            };
            (field(key), replaced)
        })
        .collect()
    }

    /// The answer to it.
    pub(super) fn answer(&mut self, answer: &Value) -> Value {
        self.value("", answer)
    }

    /// The path of a Graph request, behind the version: its first part is an id.
    pub(super) fn path(&mut self, path: &str) -> String {
        let mut parts = path.trim_matches('/').splitn(2, '/');
        let id = self.name("id", parts.next().unwrap_or_default());
        match parts.next() {
            Some(edge) => format!("{id}/{}", field(edge)),
            None => id,
        }
    }

    fn value(&mut self, key: &str, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Array(items) => items.iter().map(|item| self.value(key, item)).collect(),
            Value::Object(fields) => {
                let replaced =
                    fields.iter().map(|(key, value)| (field(key), self.value(key, value)));
                Value::Object(replaced.collect())
            }
            Value::Number(_) if key == "code" || KEPT.contains(&key) => value.clone(),
            Value::Number(_) => json!(0),
            Value::String(text) => match key {
                "id" | "PhoneNumberId" | "WabaId" => json!(self.name("id", text)),
                "display_phone_number" | "phone_number" | "PhoneNumber" => {
                    self.number(&digits_of(value).unwrap_or_default())
                }
                "pin" => json!(self.name("pin", text)),
                key if KEPT.contains(&key) && is_word(text) => value.clone(),
                _ => json!(TEXT),
            },
        }
    }

    fn number(&mut self, digits: &str) -> Value {
        let landline = plan_e164(digits).is_ok_and(|planned| planned.kind == NumberKind::FixedLine);
        json!(self.name(if landline { "landline" } else { "number" }, digits))
    }

    fn name(&mut self, class: &'static str, value: &str) -> String {
        let key = (class, value.to_owned());
        if let Some(name) = self.names.get(&key) {
            return name.clone();
        }
        let count = self.counts.entry(class).or_default();
        *count += 1;
        let name = format!("{class}:{count}");
        self.names.insert(key, name.clone());
        name
    }
}

/// Names of fields are words; an id that stands in for one (as in usage figures) is not.
fn field(key: &str) -> String {
    let is_name = key.len() <= 64
        && key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.');
    if is_name { key.to_owned() } else { "{key}".to_owned() }
}

/// Short, and made of what words of a dialect are made of; digits alone could be a number.
fn is_word(text: &str) -> bool {
    text.len() <= 400
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.,{}()-".contains(&b))
        && text.bytes().filter(u8::is_ascii_digit).count() <= 6
}

fn digits_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text.chars().filter(char::is_ascii_digit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn nothing_secret_and_nobodys_number_is_left() {
        let mut redactor = Redactor::default();
        let asked = redactor.parameters(&object(&json!({
            "access_token": "EAAsecret", "appsecret_proof": "aabbcc", "cc": "44",
            "phone_number": "7700900123", "verified_name": "Lucky Shrub", "pin": "246802",
            "code": "135791", "backup": { "data": "V0FCSVo", "password": "open" },
        })));
        let answer = redactor.answer(&json!({
            "id": "106540352242922", "display_phone_number": "+44 7700 900123",
            "error": { "message": "No 447700900123", "code": 133_016, "fbtrace_id": "AbC",
                       "error_data": { "details": "wait 7 hours" } },
            "106540352242922": [{ "call_count": 7 }],
        }));
        let path = redactor.path("106540352242922/register");
        let written = format!("{asked:?} {answer} {path}");
        for secret in [
            "EAAsecret",
            "aabbcc",
            "7700",
            "900123",
            "Lucky",
            "246802",
            "135791",
            "V0FC",
            "open",
            "106540352242922",
            "AbC",
            "hours",
        ] {
            assert!(!written.contains(secret), "{secret}: {written}");
        }
        assert_eq!(asked["phone_number"], "number:1");
        assert_eq!(asked["pin"], "pin:1");
        assert_eq!(answer["display_phone_number"], "number:1");
        assert_eq!(answer["error"]["code"], 133_016);
        assert_eq!((&answer["id"], path.as_str()), (&json!("id:1"), "id:1/register"));
    }

    #[test]
    fn words_of_the_dialect_stay_and_texts_in_their_place_do_not() {
        let mut redactor = Redactor::default();
        let answer = redactor.answer(&json!({
            "status": "CONNECTED", "Code": "VerifyCode.Error", "success": true,
            "quality_rating": "447700900123",
        }));
        assert_eq!(
            answer,
            json!({ "status": "CONNECTED", "Code": "VerifyCode.Error", "success": true,
                    "quality_rating": "text" })
        );
    }

    #[test]
    fn the_kind_of_a_number_stays_because_channels_depend_on_it() {
        let mut redactor = Redactor::default();
        let asked = json!({ "Cc": "44", "PhoneNumber": "2079460123" });
        assert_eq!(redactor.parameters(&object(&asked))["PhoneNumber"], "landline:1");
    }
}
