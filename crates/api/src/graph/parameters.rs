//! Parameters: one bag out of query string and body, whatever form the body has (§1).
//!
//! JSON, form and multipart bodies are read alike and win over the query. A body without a type, or with
//! one that is not known, is read as what it looks like. Nested values may come as JSON or as text that is
//! JSON. Unknown parameters are left alone.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Multipart, Request};
use http::{HeaderMap, header};
use serde_json::{Map, Value};

use super::failure::Failure;
use crate::bushy::has_too_many_values;
use crate::cams::parameters::Parameters as Pairs;

/// Most parameters of a multipart body; the other forms have a limit of their own.
const PARTS_MAX: usize = 64;

/// The parameters of a request.
#[derive(Clone, Default, PartialEq)]
pub struct Parameters(Map<String, Value>);

impl Parameters {
    /// Reads query string and body.
    pub async fn read(query: &str, headers: &HeaderMap, body: Bytes) -> Result<Self, Failure> {
        let mut bag = Self::default();
        bag.take_pairs(query.as_bytes())?;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(bag);
        }
        match kind(headers, &body) {
            Kind::Json => bag.take_json(&body)?,
            Kind::Form => bag.take_pairs(&body)?,
            Kind::Multipart => bag.take_parts(headers, body).await?,
        }
        Ok(bag)
    }

    /// The text called `name`: a number or truth value counts as its digits or word, empty text and
    /// `null` as nothing.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The same under any of these names, the first one that is there.
    #[must_use]
    pub fn any_text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.text(name))
    }

    /// Whether there is such a parameter, be it empty.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// A required text.
    pub fn needed(&self, name: &str) -> Result<String, Failure> {
        self.text(name).ok_or_else(|| Failure::missing(name))
    }

    /// A truth value; absent is `false`.
    pub fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.text(name).as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Failure::invalid(name, "must be true or false")),
        }
    }

    /// A nested value: an object or list, or text that is one in JSON.
    pub fn nested(&self, name: &str) -> Result<Option<Value>, Failure> {
        let invalid = || Failure::invalid(name, "must be a JSON object or list");
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value @ (Value::Object(_) | Value::Array(_))) => Ok(Some(value.clone())),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(Value::String(text)) if has_too_many_values(text.as_bytes()) => Err(invalid()),
            Some(Value::String(text)) => match serde_json::from_str(text) {
                Ok(value @ (Value::Object(_) | Value::Array(_))) => Ok(Some(value)),
                Ok(_) | Err(_) => Err(invalid()),
            },
            Some(Value::Bool(_) | Value::Number(_)) => Err(invalid()),
        }
    }

    fn take_pairs(&mut self, text: &[u8]) -> Result<(), Failure> {
        let pairs = Pairs::parse(text, b"")
            .map_err(|fault| Failure::malformed(format!("A parameter cannot be read: {fault}")))?;
        for pair in pairs.query {
            self.0.insert(pair.name, Value::String(pair.value));
        }
        Ok(())
    }

    fn take_json(&mut self, body: &[u8]) -> Result<(), Failure> {
        if has_too_many_values(body) {
            return Err(Failure::malformed("The body holds too many values"));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => {
                self.0.extend(members);
                Ok(())
            }
            Ok(_) => Err(Failure::malformed("The body must be a JSON object")),
            // The parser's own text could repeat what stands there.
            Err(error) => Err(Failure::malformed(format!(
                "The body is no JSON: line {}, column {}",
                error.line(),
                error.column()
            ))),
        }
    }

    async fn take_parts(&mut self, headers: &HeaderMap, body: Bytes) -> Result<(), Failure> {
        let unreadable = || Failure::malformed("The multipart body cannot be read");
        let mut request = Request::new(Body::from(body));
        *request.headers_mut() = headers.clone();
        let mut parts = Multipart::from_request(request, &()).await.map_err(|_| unreadable())?;
        let mut count = 0;
        while let Some(part) = parts.next_field().await.map_err(|_| unreadable())? {
            count += 1;
            if count > PARTS_MAX {
                return Err(Failure::malformed("The multipart body has too many parts"));
            }
            let Some(name) = part.name().map(str::to_owned) else { continue };
            let value = part.text().await.map_err(|_| unreadable())?;
            self.0.insert(name, Value::String(value));
        }
        Ok(())
    }
}

impl core::fmt::Debug for Parameters {
    /// Names only: among the values are codes, PINs, tokens and phone numbers.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

enum Kind {
    Json,
    Form,
    Multipart,
}

fn kind(headers: &HeaderMap, body: &[u8]) -> Kind {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = named.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") || essence.ends_with("+json") {
        Kind::Json
    } else if essence.eq_ignore_ascii_case("multipart/form-data") {
        Kind::Multipart
    } else if body.trim_ascii_start().first() == Some(&b'{') {
        Kind::Json
    } else {
        Kind::Form
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    async fn read(query: &str, kind: &str, body: &str) -> Result<Parameters, Failure> {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).expect("a type"));
        }
        Parameters::read(query, &headers, Bytes::from(body.to_owned())).await
    }

    #[tokio::test]
    async fn every_form_of_body_reads_the_same() {
        let multipart =
            "--x\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\n123830\r\n--x--\r\n";
        for (query, kind, body) in [
            ("code=123830", "", ""),
            ("code=1&code=123830", "", " \r\n"),
            ("code=9", "application/json", r#"{"code":"123830"}"#),
            ("code=9", "application/json; charset=utf-8", r#"{"code":123830}"#),
            ("", "application/x-www-form-urlencoded", "code=%31%3238%330"),
            ("", "text/plain", r#" {"code":"123830"}"#),
            ("", "", "code=123830"),
            ("", "multipart/form-data; boundary=x", multipart),
        ] {
            let bag = read(query, kind, body).await.expect("parameters");
            assert_eq!(bag.text("code").as_deref(), Some("123830"), "{kind:?} {body:?}");
        }
    }

    #[tokio::test]
    async fn nested_values_come_as_json_or_as_text() {
        let backup = json!({ "data": "d", "password": "p" });
        for (query, body) in [
            ("", r#"{"backup":{"data":"d","password":"p"}}"#),
            ("", r#"{"backup":"{\"data\":\"d\",\"password\":\"p\"}"}"#),
            ("backup=%7B%22data%22%3A%22d%22%2C%22password%22%3A%22p%22%7D", ""),
        ] {
            let bag = read(query, "application/json", body).await.expect("parameters");
            assert_eq!(bag.nested("backup").expect("sound"), Some(backup.clone()));
        }
        let bag = read("backup=text&empty=", "", "").await.expect("parameters");
        assert!(bag.nested("backup").is_err());
        assert_eq!(bag.nested("empty").expect("nothing"), None);
    }

    #[tokio::test]
    async fn bodies_that_cannot_be_read_are_refused() {
        for (kind, body) in [
            ("application/json", "{"),
            ("application/json", "[1]"),
            ("application/x-www-form-urlencoded", "a=%ff"),
            ("multipart/form-data; boundary=x", "nothing"),
            ("multipart/form-data", "--x"),
        ] {
            assert!(read("", kind, body).await.is_err(), "{kind} {body}");
        }
        let many = "a=1&".repeat(10_000);
        assert!(read(&many, "", "").await.is_err());
    }

    #[tokio::test]
    async fn what_is_shown_for_debugging_has_no_values() {
        let bag = read("pin=123456&access_token=EAAsecret", "", "").await.expect("parameters");
        let shown = format!("{bag:?}");
        assert!(shown.contains("pin") && !shown.contains("123456") && !shown.contains("EAA"));
    }
}
