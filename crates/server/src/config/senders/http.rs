//! `type = "http"`: a provider's HTTP API.

use std::path::PathBuf;

use outbound::delivery::http::{Channel, Spec, settings_of};
use registration::CodeMethod;
use toml::{Table, Value};

use crate::config::reader::Reader;
use crate::config::secret::Secret;

/// What an HTTP sender needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Request and answer; none once a mistake is noted.
    pub spec: Option<Spec>,
    /// Certificates to trust besides the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// What the address of delivery statuses ends with.
    pub callback_token: Option<Secret>,
}

impl Settings {
    pub(super) fn hosts(&self) -> Vec<String> {
        self.spec.iter().filter_map(Spec::host).collect()
    }
}

/// The settings, and how codes may travel.
pub(super) fn read(reader: &mut Reader<'_>) -> (Settings, Vec<CodeMethod>) {
    let preset = reader.text("preset");
    let ca_file = reader.text("ca_file").map(PathBuf::from);
    let callback_token = reader.secret("callback_token");
    let strong = |token: &Secret| {
        let text = token.reveal();
        text.len() >= 16 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if callback_token.as_ref().is_some_and(|token| !strong(token)) {
        reader.complain("callback_token", "is 16 letters or digits at least, and nobody's guess");
    }
    let mut given = Table::new();
    // Any setting of a preset may be a secret: by value, by file or by variable.
    for key in settings_of(preset.as_deref()) {
        if let Some(secret) = reader.secret(&key) {
            given.insert(key, secret.reveal().into());
        }
    }
    for key in reader.rest().iter().filter(|key| key.starts_with("settings.")) {
        let key = key.strip_suffix("_file").or(key.strip_suffix("_env")).unwrap_or(key);
        if let Some(secret) = reader.secret(key) {
            put(&mut given, key, secret.reveal().into());
        }
    }
    for key in reader.rest() {
        // What every sender has is read by who called.
        if key != "timeout"
            && let Some(value) = reader.value(&key)
        {
            put(&mut given, &key, value);
        }
    }
    let spec = match Spec::configured(preset.as_deref(), given) {
        Ok(spec) => Some(spec),
        Err(message) => {
            reader.complain(if preset.is_some() { "preset" } else { "url" }, message);
            None
        }
    };
    let methods = spec.iter().flat_map(|spec| &spec.channels).map(|channel| match channel {
        Channel::Sms => CodeMethod::Sms,
        Channel::Voice => CodeMethod::Voice,
    });
    let methods = methods.collect();
    (Settings { spec, ca_file, callback_token }, methods)
}

/// Puts `value` at a dotted key, making the tables on the way.
fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((name, rest)) => {
            let below = table.entry(name).or_insert_with(|| Table::new().into());
            if let Value::Table(below) = below {
                put(below, rest, value);
            }
        }
    }
}
