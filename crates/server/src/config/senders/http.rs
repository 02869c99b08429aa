//! `type = "http"`: a provider's HTTP API.

use registration::CodeMethod;

use crate::config::reader::Reader;

/// What an HTTP sender needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where messages are posted.
    pub url: String,
}

impl Settings {
    pub(super) fn hosts(&self) -> Vec<String> {
        let url = self.url.parse::<http::Uri>().ok();
        url.and_then(|url| Some(url.host()?.trim_matches(['[', ']']).to_owned()))
            .into_iter()
            .collect()
    }
}

/// The settings, and how codes may travel.
pub(super) fn read(reader: &mut Reader<'_>) -> (Settings, Vec<CodeMethod>) {
    let words = [("sms", CodeMethod::Sms), ("voice", CodeMethod::Voice)];
    let method = reader.one_of("method", CodeMethod::Sms, &words);
    let settings = Settings { url: reader.required("url").unwrap_or_default() };
    (settings, vec![method])
}
