//! A call as it was filled in: where each value goes, on the wire and in code.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::data::{Field, Kind, Operation, Place};
use crate::cams::signature::Family;
use crate::console::guard::url_encoded;

/// An operation with its values.
pub(super) struct Call {
    pub operation: &'static Operation,
    /// Where this server is reached, without a slash at the end: `http://127.0.0.1:8080`.
    pub base: String,
    /// What stands before the path: `/clients/NAME` where another client than the default one is meant.
    pub prefix: String,
    /// How it is signed (CAMS).
    pub family: Family,
    /// Values of fields that have one.
    pub values: Vec<(&'static Field, String)>,
}

impl Call {
    /// Host and port.
    pub(super) fn host(&self) -> &str {
        let behind = self.base.split_once("://").map_or(self.base.as_str(), |(_, rest)| rest);
        behind.split('/').next().unwrap_or_default()
    }

    /// `http` or `https`.
    pub(super) fn scheme(&self) -> &str {
        self.base.split_once("://").map_or("http", |(scheme, _)| scheme)
    }

    /// The values that go to `place`.
    pub(super) fn at(&self, place: Place) -> impl Iterator<Item = (&'static Field, &str)> {
        let here = self.values.iter().filter(move |(field, _)| field.place == place);
        here.map(|(field, value)| (*field, value.as_str()))
    }

    /// Names and values that go to `place`.
    pub(super) fn pairs(&self, place: Place) -> Vec<(String, String)> {
        self.at(place).map(|(field, value)| (field.name.clone(), value.to_owned())).collect()
    }

    /// Path and query, but for CAMS, which signs its own.
    pub(super) fn target(&self) -> String {
        let mut path = format!("{}{}", self.prefix, self.operation.path);
        for (field, value) in self.at(Place::Path) {
            let segment = url_encoded(value).replace('/', "%2F");
            path = path.replace(&format!("{{{}}}", field.name), &segment);
        }
        let query = self.at(Place::Query).map(|(field, value)| {
            let escaped = url_encoded(value).replace('/', "%2F");
            format!("{}={escaped}", field.name)
        });
        let query = query.collect::<Vec<_>>().join("&");
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }

    /// The body and its type; `None` where there is none, the field at fault where it cannot be.
    pub(super) fn body(&self) -> Result<Option<(Bytes, &'static str)>, &'static str> {
        let kind = self.operation.content.as_deref().unwrap_or("application/json");
        if let Some((_, text)) = self.at(Place::Raw).next() {
            return Ok(Some((text.to_owned().into(), kind)));
        }
        if let Some((field, text)) = self.at(Place::Bytes).next() {
            let compact: String = text.split_whitespace().collect();
            let bytes = STANDARD.decode(compact).map_err(|_| field.name.as_str())?;
            return Ok(Some((bytes.into(), kind)));
        }
        let members: Map<_, _> = self
            .at(Place::Json)
            .map(|(field, text)| (field.name.clone(), member(field, text)))
            .collect();
        let takes_json = self.operation.fields.iter().any(|it| it.place == Place::Json);
        let body = (takes_json || !members.is_empty()).then(|| Value::from(members).to_string());
        Ok(body.map(|body| (body.into(), "application/json")))
    }
}

/// A value as a member of a JSON object. What does not fit its kind is sent as text: the server shall say
/// what is wrong with it.
fn member(field: &Field, text: &str) -> Value {
    let read = match field.kind {
        Kind::Text => None,
        Kind::Number => text.parse::<i64>().ok().map(Value::from),
        Kind::Boolean => text.parse::<bool>().ok().map(Value::from),
        Kind::List | Kind::Json => serde_json::from_str(text).ok(),
    };
    read.unwrap_or_else(|| text.into())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::data::{Dialect, find};
    use super::*;

    /// A call with some of the values given and the form's own for the rest.
    pub(in crate::console::explorer) fn call(
        dialect: Dialect,
        id: &str,
        given: &[(&str, &str)],
    ) -> Call {
        let operation = find(dialect, id).expect("an operation");
        let value = |field: &Field| {
            let given = given.iter().find(|(name, _)| *name == field.name);
            given.map_or(field.value.clone(), |(_, value)| (*value).to_owned())
        };
        let values = operation.fields.iter().map(|field| (field, value(field)));
        Call {
            operation,
            base: "http://127.0.0.1:8080".to_owned(),
            prefix: String::new(),
            family: Family::V3,
            values: values.filter(|(_, value)| !value.is_empty()).collect(),
        }
    }

    #[test]
    fn values_go_where_the_operation_has_them() {
        let made = call(Dialect::Graph, "numbers", &[("waba", "1/2"), ("fields", "id,a b")]);
        assert_eq!(made.target(), "/v25.0/1%2F2/phone_numbers?fields=id%2Ca%20b");
        assert_eq!(made.body(), Ok(None));
        let made = call(Dialect::Onprem, "set-shards", &[("shards", "2")]);
        let body = Bytes::from(r#"{"cc":"44","phone_number":"7700900123","shards":2}"#);
        assert_eq!(made.body(), Ok(Some((body, "application/json"))));
        let made = call(Dialect::Onprem, "change-photo", &[("body", "iVBO\nRw==")]);
        assert_eq!(made.body(), Ok(Some((Bytes::from_static(b"\x89PNG"), "image/png"))));
        let made = call(Dialect::Onprem, "change-photo", &[("body", "?")]);
        assert_eq!(made.body(), Err("body"));
    }

    #[test]
    fn a_value_of_another_kind_is_sent_as_it_was_typed() {
        let made = call(Dialect::Onprem, "set-shards", &[("shards", "many")]);
        let (body, _) = made.body().expect("sound").expect("a body");
        assert!(String::from_utf8_lossy(&body).contains(r#""shards":"many""#));
    }

    #[test]
    fn the_host_is_that_of_the_address() {
        let made = Call {
            base: "https://rollcall.example/x".to_owned(),
            ..call(Dialect::Graph, "me", &[])
        };
        assert_eq!((made.scheme(), made.host()), ("https", "rollcall.example"));
    }
}
