//! Bodies, queries and paths, read strictly: what is unknown, missing or wrong is named.

use std::cell::RefCell;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query as Pairs, Request};
use axum::response::IntoResponse as _;
use http::StatusCode;
use http::request::Parts;
use registration::PhoneNumber;
use serde::de::DeserializeOwned;
use serde::de::value::MapDeserializer;
use serde_json::{Map, Value};

use super::failure::{Detail, Failure};
use crate::state::App;

/// The JSON object of a body; no body is an empty object.
pub(crate) struct Body<T>(pub T);

/// The parameters of a query string.
pub(crate) struct Query<T>(pub T);

/// The number in a path: digits, or `%2B` and digits.
pub(crate) struct InPath(pub PhoneNumber);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &App) -> Result<Self, Failure> {
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| {
            if rejection.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE {
                Failure::TooLarge
            } else {
                Failure::invalid("", "the body did not arrive whole")
            }
        })?;
        read_body(&bytes).map(Self).map_err(|detail| Failure::Invalid(vec![detail]))
    }
}

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Pairs(pairs): Pairs<Vec<(String, String)>> = Pairs::from_request_parts(parts, app)
            .await
            .map_err(|_| Failure::invalid("", "the query string cannot be read"))?;
        let mut members = Map::new();
        for (name, value) in pairs {
            if members.insert(name.clone(), Value::String(value)).is_some() {
                return Err(Failure::invalid(name, "is given twice"));
            }
        }
        strict(members).map(Self).map_err(|detail| Failure::Invalid(vec![detail]))
    }
}

impl FromRequestParts<App> for InPath {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let Path(text): Path<String> = Path::from_request_parts(parts, app)
            .await
            .map_err(|_| Failure::invalid("number", "the path cannot be read"))?;
        PhoneNumber::parse(&text)
            .map(Self)
            .map_err(|fault| Failure::invalid("number", fault.to_string()))
    }
}

fn read_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Detail> {
    let whole = |problem: &str| Detail { field: String::new(), problem: problem.to_owned() };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return strict(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => strict(members),
        Ok(_) => Err(whole("the body is no JSON object")),
        // The parser's own text could repeat what stands there.
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            Err(whole(&format!("the body is no JSON: {place}")))
        }
    }
}

/// Reads a flat object, naming the member at fault, which serde's own errors do not always do.
fn strict<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, Detail> {
    let current = RefCell::new(String::new());
    let tracked = members.into_iter().inspect(|(name, _)| current.borrow_mut().clone_from(name));
    T::deserialize(MapDeserializer::new(tracked))
        .map_err(|error: serde_json::Error| detail(&current.borrow(), &error.to_string()))
}

/// Rewords an error of serde so that it names a field and repeats no value.
fn detail(current: &str, error: &str) -> Detail {
    let (field, problem) = match error.split_once('`').and_then(|(_, rest)| rest.split_once('`')) {
        Some((field, _)) if error.starts_with("missing field") => (field, "is required".to_owned()),
        Some((field, rest)) if error.starts_with("unknown field") => {
            let expected = rest.trim_start_matches(", ").replace('`', "");
            (field, format!("unknown; {expected}"))
        }
        Some(_) | None => match error.rsplit_once(", expected ") {
            Some((_, expected)) => (current, format!("expected {expected}")),
            None => (current, error.to_owned()),
        },
    };
    Detail { field: field.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::wire::{Edit, Pin};
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        name: String,
        #[serde(default)]
        retired: bool,
        pin: Option<Pin>,
        #[serde(default)]
        host: Edit<String>,
    }

    fn read(text: &str) -> Result<Form, (String, String)> {
        read_body(text.as_bytes()).map_err(|it: Detail| (it.field, it.problem))
    }

    #[test]
    fn the_field_at_fault_is_named_and_its_value_is_not_repeated() {
        for (body, field, problem) in [
            ("", "name", "is required"),
            ("{}", "name", "is required"),
            (r#"{"name":"a","nme":1}"#, "nme", "unknown; expected one of name, retired, pin, host"),
            (r#"{"name":7}"#, "name", "expected a string"),
            (r#"{"name":"a","retired":"yes"}"#, "retired", "expected a boolean"),
            (r#"{"name":"a","pin":123456}"#, "pin", "expected a string"),
            (
                r#"{"name":"a","pin":"98765"}"#,
                "pin",
                "a two-step verification PIN has exactly six digits",
            ),
            ("[1]", "", "the body is no JSON object"),
            (r#"{"name":"#, "", "the body is no JSON: line 1, column 8"),
        ] {
            let fault = read(body).expect_err(body);
            assert_eq!(fault, (field.to_owned(), problem.to_owned()), "{body}");
        }
    }

    #[test]
    fn null_clears_and_absence_leaves_alone() {
        let form = read(r#"{"name":"a","host":null}"#).expect("sound");
        assert_eq!((form.name.as_str(), form.retired, form.host), ("a", false, Edit::Clear));
        assert!(form.pin.is_none());
        assert_eq!(read(r#"{"name":"a"}"#).expect("sound").host, Edit::Keep);
        let set = read(r#"{"name":"a","host":"h"}"#).expect("sound").host;
        assert_eq!(set, Edit::Set("h".to_owned()));
    }
}
