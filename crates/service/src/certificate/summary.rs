//! A certificate in words, for `rollcall cert show` and the console.

use core::fmt;

use registration::{PhoneNumber, Timestamp, WabaId};

use super::{AccountLink, Certificate, LocalizedName, Provenance};

/// What a person wants to know about a certificate. `Display` writes one line per fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The display name.
    pub name: String,
    /// The name in other languages.
    pub localized: Vec<LocalizedName>,
    /// Serial number.
    pub serial: Option<u64>,
    /// Who says to have issued it.
    pub issuer: String,
    /// When it says to have been issued.
    pub issued_at: Option<Timestamp>,
    /// The number that it is for, if that can be read. Believe it only of our own.
    pub number: Option<PhoneNumber>,
    /// The WABA that it is for, if that can be read. Believe it only of our own.
    pub waba: Option<WabaId>,
    /// Where it comes from.
    pub provenance: Provenance,
}

impl Summary {
    /// Sums up `certificate`, whose `provenance` was found out before.
    #[must_use]
    pub fn new(certificate: &Certificate, provenance: Provenance) -> Self {
        let (number, waba) = certificate
            .account_link()
            .map_or((None, None), |AccountLink { number, waba }| (Some(number), Some(waba)));
        Self {
            name: certificate.name.as_str().to_owned(),
            localized: certificate.localized.clone(),
            serial: certificate.serial,
            issuer: certificate.issuer.clone(),
            issued_at: certificate.issued_at,
            number,
            waba,
            provenance,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(f, "Name", &visible(&self.name))?;
        for name in &self.localized {
            let language = match (name.language.as_str(), name.country.as_str()) {
                (language, "") => visible(language),
                (language, country) => visible(&format!("{language}-{country}")),
            };
            line(f, "", &format_args!("{} ({language})", visible(&name.name)))?;
        }
        line(f, "Serial", &or_dash(self.serial))?;
        line(f, "Issuer", &visible(&self.issuer))?;
        line(f, "Issued", &or_dash(self.issued_at.map(rfc3339)))?;
        line(f, "Number", &or_dash(self.number))?;
        line(f, "WABA", &or_dash(self.waba.as_ref()))?;
        line(f, "Origin", &self.provenance)
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { expires_at, .. } => {
                write!(f, "issued here, counts until {}", rfc3339(*expires_at))
            }
            Self::OwnExpired { expires_at, .. } => {
                write!(f, "issued here, expired {}", rfc3339(*expires_at))
            }
            Self::Forged => f.write_str("says to be issued here, but no key of ours signed it"),
            Self::Foreign => f.write_str("issued elsewhere: readable, cannot be authenticated"),
        }
    }
}

fn line(f: &mut fmt::Formatter<'_>, label: &str, value: &dyn fmt::Display) -> fmt::Result {
    writeln!(f, "{label:<7} {value}")
}

fn or_dash(value: Option<impl fmt::Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Text of a stranger as it may reach a terminal: control characters become `?`.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// The moment in RFC 3339, or its milliseconds where the calendar ends (year 9999).
fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| format!("{at:?}"), |at| at.to_string())
}
