//! What a request looks like and what its answer means, as data: written in a configuration, or taken
//! from a preset and changed there.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use toml::{Table, Value};

use super::template::Templates;

/// The presets by name.
const PRESETS: [(&str, &str); 9] = [
    ("android-sms-gateway", include_str!("presets/android-sms-gateway.toml")),
    ("infobip", include_str!("presets/infobip.toml")),
    ("kannel", include_str!("presets/kannel.toml")),
    ("sns", include_str!("presets/sns.toml")),
    ("twilio", include_str!("presets/twilio.toml")),
    ("twilio-voice", include_str!("presets/twilio-voice.toml")),
    ("vonage", include_str!("presets/vonage.toml")),
    ("vonage-voice", include_str!("presets/vonage-voice.toml")),
    ("none", "[settings]\nfrom = \"\"\n"),
];

/// A request and how to read its answer. Every text but those in `success`, `id` and `callback` is a
/// template.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// `sms`, `voice`, or both.
    #[serde(default = "sms")]
    pub channels: Vec<Channel>,
    /// `GET` or `POST`.
    #[serde(default)]
    pub verb: Verb,
    /// Where to.
    pub url: String,
    /// Added to the URL, encoded.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// Header fields.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Body as a form.
    pub form: Option<BTreeMap<String, String>>,
    /// Body as JSON.
    pub json: Option<Json>,
    /// Who we are.
    #[serde(default)]
    pub auth: Auth,
    /// A header that makes the provider take a repeated request once.
    pub idempotency_header: Option<String>,
    /// When a message counts as taken.
    #[serde(default)]
    pub success: Success,
    /// Where the provider's id of the message is.
    #[serde(default)]
    pub id: Place,
    /// How to read what the provider reports later.
    pub callback: Option<Callback>,
    /// What placeholders stand for besides the message; an empty text must be given in the
    /// configuration if it is in `required`.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Settings that must be given, with what they are.
    #[serde(default)]
    pub required: BTreeMap<String, String>,
}

fn sms() -> Vec<Channel> {
    vec![Channel::Sms]
}

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Text messages.
    Sms,
    /// Calls.
    Voice,
}

/// The verb of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Verb {
    /// Everything stands in the URL.
    #[serde(rename = "GET")]
    Get,
    /// With a body.
    #[default]
    #[serde(rename = "POST")]
    Post,
}

/// How a request says who sends it.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Auth {
    /// It does not, or a header does.
    #[default]
    None,
    /// User and password (RFC 7617).
    Basic {
        /// User.
        user: String,
        /// Password.
        password: String,
    },
    /// A token (RFC 6750).
    Bearer {
        /// The token.
        token: String,
    },
    /// A token made for each request and signed with RS256 (RFC 7519): the claims, `iat`, `exp` and `jti`.
    Jwt {
        /// RSA key, PEM (PKCS #8 or PKCS #1).
        private_key: String,
        /// What it says besides.
        #[serde(default)]
        claims: BTreeMap<String, String>,
    },
    /// HMAC-SHA256 over the body, hexadecimal, in a header.
    Hmac {
        /// The key.
        secret: String,
        /// The header field.
        header: String,
    },
    /// AWS Signature Version 4.
    Sigv4 {
        /// Region, such as `eu-central-1`.
        region: String,
        /// Service, such as `sns`.
        service: String,
        /// Access key id.
        access_key: String,
        /// Secret access key.
        secret_key: String,
        /// Token of temporary credentials; may be empty.
        #[serde(default)]
        session_token: String,
    },
}

/// When a message counts as taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Success {
    /// Statuses of success; none: any from 200 to 299.
    pub statuses: Vec<u16>,
    /// A value in the answer that tells too.
    pub place: Option<Place>,
    /// Values there that mean "taken".
    pub values: Vec<String>,
    /// Values there that mean "later".
    pub retry: Vec<String>,
    /// Where the provider says what is wrong.
    pub reason: Option<Place>,
}

/// Where something is in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Place {
    /// Nowhere.
    #[default]
    Nowhere,
    /// At a JSON pointer (RFC 6901).
    Json(String),
    /// Within the first XML element of this name.
    Xml(String),
    /// It is our own id of the message.
    Own,
}

/// How to read what a provider reports later.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// How the provider signs; the secret in the URL is asked for in any case.
    #[serde(default)]
    pub signature: Signature,
    /// Template of the key it signs with; signatures are not checked while it comes out empty.
    #[serde(default)]
    pub secret: String,
    /// JSON pointer to the list of reports, where there can be several; none: the whole is one.
    pub list: Option<String>,
    /// JSON pointer to the provider's id of the message. A form or a query counts as an object.
    pub id: String,
    /// JSON pointer to the word that tells the state.
    pub status: String,
    /// Words for a message that arrived.
    pub delivered: Vec<String>,
    /// Words for one that never will.
    pub failed: Vec<String>,
    /// JSON pointer to why not.
    pub reason: Option<String>,
}

/// How a provider signs its reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// Not at all.
    #[default]
    None,
    /// `X-Twilio-Signature`: HMAC-SHA1 over URL and sorted parameters.
    Twilio,
    /// `sig`: HMAC-SHA256 over sorted parameters.
    Vonage,
    /// `Authorization: Bearer` with a token by HS256 (RFC 7519), whose `payload_hash` is of the body.
    Jwt,
    /// `X-Signature`: HMAC-SHA256 over body and `X-Timestamp`.
    BodyAndTimestamp,
}

impl Spec {
    /// The preset of this name, or none, with what the configuration says on top.
    ///
    /// A key of the configuration that is no part of a spec is a setting, if the preset has one of that
    /// name. An error says which key is wrong and what would be right.
    ///
    /// # Panics
    ///
    /// If a preset of ours cannot be read, which a test excludes.
    pub fn configured(preset: Option<&str>, mut given: Table) -> Result<Self, String> {
        let name = preset.unwrap_or("none");
        let Some((_, text)) = PRESETS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = presets().collect();
            return Err(format!("there is no preset `{name}`; there are {}", known.join(", ")));
        };
        let mut table: Table = text.parse().expect("a test reads every preset");
        let settings = table.get("settings").and_then(Value::as_table).cloned().unwrap_or_default();
        let own: Vec<String> =
            given.keys().filter(|key| settings.contains_key(*key)).cloned().collect();
        let mut own_settings = Table::new();
        for key in own {
            if let Some(value) = given.remove(&key) {
                own_settings.insert(key, value);
            }
        }
        lay_over(&mut table, given);
        lay_over(&mut table, Table::from_iter([("settings".to_owned(), own_settings.into())]));
        let spec: Self = Value::Table(table).try_into().map_err(|error| words(&error))?;
        let absent = |name: &str| spec.settings.get(name).is_none_or(String::is_empty);
        if let Some((name, what)) = spec.required.iter().find(|(name, _)| absent(name)) {
            return Err(format!("`{name}` is missing: {what}"));
        }
        if spec.form.is_some() && spec.json.is_some() {
            return Err("a body is `form` or `json`, not both".to_owned());
        }
        Ok(spec)
    }
}

impl Spec {
    /// The host that requests go to, if it can be told.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let url = Templates::new().url(&self.url, &self.settings).ok()?;
        let url: http::Uri = url.parse().ok()?;
        Some(url.host()?.trim_matches(['[', ']']).to_owned())
    }
}

impl core::fmt::Debug for Spec {
    /// Settings hold secrets, and templates may.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Spec").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Names of the settings of a preset, any of which may be a secret; of a sender without one: `from`.
#[must_use]
pub fn settings_of(preset: Option<&str>) -> Vec<String> {
    let name = preset.unwrap_or("none");
    let text = PRESETS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
    let table = text.and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
    let settings = table.get("settings").and_then(Value::as_table);
    settings.map(|settings| settings.keys().cloned().collect()).unwrap_or_default()
}

/// Names of the presets.
pub fn presets() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name).filter(|name| *name != "none")
}

/// Puts `upper` on top of `lower`, table by table.
fn lay_over(lower: &mut Table, upper: Table) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) if !is_choice(&above) => {
                lay_over(below, above);
            }
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}

/// Whether a table is one of several forms, which cannot be mixed: a kind of authentication, a place.
fn is_choice(table: &Table) -> bool {
    let place = table.len() == 1 && (table.contains_key("json") || table.contains_key("xml"));
    place || table.contains_key("kind")
}

/// The first line of what is wrong; the rest would quote the configuration, secrets and all.
fn words(error: &toml::de::Error) -> String {
    error.message().lines().next().unwrap_or_default().to_owned()
}

impl core::fmt::Debug for Auth {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic(……)",
            Self::Bearer { .. } => "Bearer(……)",
            Self::Jwt { .. } => "Jwt(……)",
            Self::Hmac { .. } => "Hmac(……)",
            Self::Sigv4 { .. } => "Sigv4(……)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().expect("TOML")
    }

    #[test]
    fn every_preset_is_sound_once_its_settings_are_given() {
        for name in presets() {
            let (_, text) = PRESETS.iter().find(|(known, _)| *known == name).expect("known");
            let preset: Spec =
                toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let given = preset.required.keys().map(|key| (key.clone(), Value::from("given")));
            let spec = Spec::configured(Some(name), given.collect());
            assert!(spec.is_ok(), "{name}: {spec:?}");
            if let Some(absent) = preset.required.keys().next() {
                let error = Spec::configured(Some(name), Table::new()).expect_err("not given");
                assert!(error.contains(absent.as_str()), "{name}: {error}");
            }
        }
    }

    #[test]
    fn the_configuration_lies_on_top_of_the_preset() {
        let given = table(
            "account = 'AC1'\nsecret = 's'\nfrom = '+15550100'\nbase = 'http://127.0.0.1:1'\n\
             [form]\nMaxPrice = '0.05'\n[success]\nstatuses = [200]",
        );
        let spec = Spec::configured(Some("twilio"), given).expect("sound");
        assert_eq!(spec.settings["base"], "http://127.0.0.1:1");
        let form = spec.form.expect("a form");
        assert_eq!((form["MaxPrice"].as_str(), form["To"].as_str()), ("0.05", "{{ to }}"));
        assert_eq!(spec.success.statuses, [200]);
    }

    #[test]
    fn mistakes_are_named() {
        for (preset, text, said) in [
            (Some("twillio"), "", "there is no preset `twillio`"),
            (Some("twilio"), "account = 'a'\nsecret = 's'\nform_ = 1", "unknown field `form_`"),
            (None, "", "missing field `url`"),
            (None, "url = 'x'\n[form]\na = 'b'\n[json]\na = 'b'", "`form` or `json`"),
        ] {
            let error = Spec::configured(preset, table(text)).expect_err(text);
            assert!(error.contains(said), "{error}");
        }
    }
}
