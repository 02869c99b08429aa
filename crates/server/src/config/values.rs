//! How single values are read: each helper names what would have been right.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;
use std::net::IpAddr;

use registration::{AccountId, TextId as _};
use serde::de::{Deserialize, Deserializer, Error};
use service::ram::Network;

use super::duration;
use super::routes::is_prefix;

/// A host (name or address) and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// A DNS name or an IP address, an IPv6 address without brackets.
    pub host: String,
    /// 0 stands for any free port.
    pub port: u16,
}

impl HostPort {
    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

/// Whether a host (a DNS name, or an IP address without brackets) is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let complaint = || format!("`{text}` is not HOST:PORT, for example \"127.0.0.1:8080\"");
        let (host, port) = text.rsplit_once(':').ok_or_else(complaint)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let sound = match bracketed {
            Some(host) => host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()),
            None => !host.is_empty() && host.bytes().all(is_host_byte),
        };
        let port = port.parse().map_err(|_| complaint())?;
        if !sound {
            return Err(complaint());
        }
        Ok(Self { host: bracketed.unwrap_or(host).to_owned(), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl<'de> Deserialize<'de> for HostPort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// `HOST:PORT`, or `off` for none.
pub(super) fn host_port_or_off<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<HostPort>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "off" { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
}

/// A whole number from `MIN` to `MAX`.
pub(super) fn within<'de, D, T, const MIN: u64, const MAX: u64>(
    deserializer: D,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = i64::deserialize(deserializer)?;
    u64::try_from(number)
        .ok()
        .filter(|number| (MIN..=MAX).contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| D::Error::custom(format!("{number} is not between {MIN} and {MAX}")))
}

/// A whole number from `MIN` to `MAX`, or `"auto"` for none.
pub(super) fn within_or_auto<'de, D, const MIN: usize, const MAX: usize>(
    deserializer: D,
) -> Result<Option<usize>, D::Error>
where
    D: Deserializer<'de>,
{
    let value = toml::Value::deserialize(deserializer)?;
    if value.as_str() == Some("auto") {
        return Ok(None);
    }
    let text = value.as_str().and_then(|text| text.parse().ok());
    let number = value.as_integer().or(text).and_then(|number| usize::try_from(number).ok());
    number.filter(|number| (MIN..=MAX).contains(number)).map(Some).ok_or_else(|| {
        D::Error::custom(format!("{value} is neither \"auto\" nor between {MIN} and {MAX}"))
    })
}

/// A list of addresses and networks.
pub(super) fn networks<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Network>, D::Error> {
    let read = |text: &String| {
        Network::parse(text).ok_or_else(|| {
            let text = text.escape_debug();
            let example = "for example \"192.0.2.7\" or \"2001:db8::/32\"";
            D::Error::custom(format!("`{text}` is no address or network, {example}"))
        })
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(read).collect()
}

/// A duration from `MIN_S` to `MAX_S` seconds.
pub(super) fn span<'de, D, const MIN_S: u64, const MAX_S: u64>(
    deserializer: D,
) -> Result<Duration, D::Error>
where
    D: Deserializer<'de>,
{
    bounded(&String::deserialize(deserializer)?, MIN_S, MAX_S).map_err(D::Error::custom)
}

/// A list of 1 to 100 durations of at most `MAX_S` seconds each.
pub(super) fn spans<'de, D, const MAX_S: u64>(deserializer: D) -> Result<Vec<Duration>, D::Error>
where
    D: Deserializer<'de>,
{
    let list = Vec::<String>::deserialize(deserializer)?;
    if list.is_empty() || list.len() > 100 {
        return Err(D::Error::custom(format!("{} entries are not between 1 and 100", list.len())));
    }
    let read = |text: &String| bounded(text, 0, MAX_S).map_err(D::Error::custom);
    list.iter().map(read).collect()
}

/// A list of names of accounts.
pub(super) fn account_ids<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<AccountId>, D::Error> {
    let read = |text: &String| {
        AccountId::parse(text).ok_or_else(|| {
            D::Error::custom(format!("`{}` is no name of an account", text.escape_debug()))
        })
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(read).collect()
}

fn bounded(text: &str, min_s: u64, max_s: u64) -> Result<Duration, String> {
    let (min, max) = (Duration::from_secs(min_s), Duration::from_secs(max_s));
    let value = duration::parse(text)?;
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(format!(
        "`{text}` is not between {} and {}",
        duration::display(min),
        duration::display(max)
    ))
}

/// A size in bytes from `MIN` to `MAX`, written as text with a unit.
pub(super) fn size<'de, D, const MIN: usize, const MAX: usize>(
    deserializer: D,
) -> Result<usize, D::Error>
where
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    let bytes = parse_size(&text).ok_or_else(|| {
        D::Error::custom(format!("`{text}` is no size; write for example \"64 KiB\" or \"1 MiB\""))
    })?;
    if (MIN..=MAX).contains(&bytes) {
        return Ok(bytes);
    }
    Err(D::Error::custom(format!("`{text}` is not between {MIN} and {MAX} bytes")))
}

fn parse_size(text: &str) -> Option<usize> {
    let text = text.trim();
    let (count, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = match unit.trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    count.parse::<usize>().ok()?.checked_mul(unit)
}

/// A text, of which the empty one stands for none.
pub(super) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    let text = String::deserialize(deserializer)?;
    Ok((!text.is_empty()).then(|| T::from(text)))
}

/// `true`, `false`, or `"auto"` for none.
pub(super) fn bool_or_auto<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<bool>, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    match (value.as_bool(), value.as_str()) {
        (Some(value), _) => Ok(Some(value)),
        (None, Some("true")) => Ok(Some(true)),
        (None, Some("false")) => Ok(Some(false)),
        (None, Some("auto")) => Ok(None),
        (None, _) => Err(D::Error::custom(format!("{value} is none of true, false and \"auto\""))),
    }
}

/// A list of beginnings of numbers (`"+49"`, or `"*"` for all), the plus dropped; `"auto"` for none.
pub(super) fn beginnings_or_auto<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    if value.as_str() == Some("auto") {
        return Ok(None);
    }
    let read = |it: &toml::Value| match it.as_str() {
        Some("*") => Ok(String::new()),
        Some(text) => match text.strip_prefix('+').filter(|digits| is_prefix(digits)) {
            Some(digits) => Ok(digits.to_owned()),
            None => Err(format!("`{text}` is no beginning of a number such as \"+49\"")),
        },
        None => Err(format!("{it} is no text")),
    };
    let list = value.as_array().ok_or_else(|| {
        D::Error::custom(format!(
            "{value} is neither \"auto\" nor a list such as [\"+49\", \"+1876\"]"
        ))
    })?;
    list.iter().map(read).collect::<Result<_, _>>().map(Some).map_err(D::Error::custom)
}

/// An absolute `http` or `https` URL without query, or nothing; a final slash is dropped.
pub(super) fn base_url<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    let sound = text.parse::<http::Uri>().is_ok_and(|url| {
        url.host().is_some() && matches!(url.scheme_str(), Some("http" | "https"))
    });
    if !sound || text.contains(['?', '#']) {
        let message = format!("`{text}` is no URL such as \"https://rollcall.example.org\"");
        return Err(D::Error::custom(message));
    }
    Ok(Some(text.trim_end_matches('/').to_owned()))
}

/// A list of log levels that the subscriber understands.
pub(super) fn log_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.parse::<tracing_subscriber::filter::Targets>() {
        Ok(_) => Ok(text),
        Err(error) => Err(D::Error::custom(format!("`{text}` is no log level: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_and_port() {
        for (text, host, port, loopback) in [
            ("127.0.0.1:8080", "127.0.0.1", 8080, true),
            ("[::1]:0", "::1", 0, true),
            ("localhost:80", "localhost", 80, true),
            ("0.0.0.0:443", "0.0.0.0", 443, false),
            ("rollcall.example.org:443", "rollcall.example.org", 443, false),
        ] {
            let parsed: HostPort = text.parse().unwrap();
            assert_eq!((parsed.host.as_str(), parsed.port), (host, port));
            assert_eq!(parsed.is_loopback(), loopback, "{text}");
            assert_eq!(parsed.to_string(), text);
        }
        for text in
            ["", "8080", ":8080", "localhost", "localhost:99999", "::1:80", "[x]:1", "a b:1"]
        {
            assert!(text.parse::<HostPort>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_has_a_unit() {
        for (text, bytes) in [
            ("512 B", Some(512)),
            ("16KiB", Some(16_384)),
            ("1 MiB", Some(1_048_576)),
            ("1024", None),
            ("1 MB", None),
            ("99999999999999999999 MiB", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
    }
}
