//! Money: `[fuses]`, `[destinations]`, and the tables `[prices.SENDER]` and `[accounts.NAME]`.

use core::str::FromStr;
use core::time::Duration;

use registration::{AccountId, CodeMethod, Destinations, TextId as _};
use serde::{Deserialize, Deserializer, de::Error as _};
use service::spending::{AccountRules, Conversion, FuseMode, Price, Prices, Spending};
use toml::Value;

use super::reader::Reader;
use super::routes::prefixes_or_none;
use super::sections::{Config, Mode};
use super::senders::Sender;
use super::values::{beginnings_or_auto, span, within};

/// An amount of money in millionths, read from a decimal number such as `0.075`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount(pub(super) u64);

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let complaint =
            || format!("`{text}` is no amount such as \"0.075\", with at most six decimals");
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |it: &str| it.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > 6 {
            return Err(complaint());
        }
        let whole: u64 = whole.parse().map_err(|_| complaint())?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| complaint())?;
        // A milliard is beyond any budget, and sums of it stay far from overflow.
        if whole > 1_000_000_000 {
            return Err(format!("`{text}` is more than a milliard"));
        }
        Ok(Self(whole * 1_000_000 + part))
    }
}

impl Amount {
    /// Reads a number as TOML has it: text, integer or float.
    fn of(value: &Value) -> Result<Self, String> {
        match (value.as_str(), value.as_integer(), value.as_float()) {
            (Some(text), ..) => text.parse(),
            (None, Some(number), _) => number.to_string().parse(),
            (None, None, Some(number)) => number.to_string().parse(),
            (None, None, None) => Err(format!("{value} is no amount such as 0.075")),
        }
    }
}

/// An amount, or `off` for none.
pub(super) fn amount_or_off<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.as_str() == Some("off") {
        return Ok(None);
    }
    Amount::of(&value).map(|it| Some(it.0)).map_err(D::Error::custom)
}

/// An amount.
pub(super) fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Amount::of(&Value::deserialize(deserializer)?).map(|it| it.0).map_err(D::Error::custom)
}

/// What the rules about money do.
pub(super) fn mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FuseMode, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "off" => Ok(FuseMode::Off),
        "shadow" => Ok(FuseMode::Shadow),
        "enforce" => Ok(FuseMode::Enforce),
        _ => Err(D::Error::custom(format!("`{text}` is none of \"off\", \"shadow\", \"enforce\""))),
    }
}

/// `[destinations]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct DestinationSettings {
    #[serde(deserialize_with = "beginnings_or_auto")]
    pub sms: Option<Vec<String>>,
    #[serde(deserialize_with = "beginnings_or_auto")]
    pub voice: Option<Vec<String>>,
}

/// `[fuses]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is described in config.default.toml")]
pub struct FuseSettings {
    #[serde(deserialize_with = "mode")]
    pub mode: FuseMode,
    pub currency: String,
    #[serde(deserialize_with = "amount")]
    pub unknown_price: u64,
    #[serde(deserialize_with = "amount_or_off")]
    pub account_per_day: Option<u64>,
    #[serde(deserialize_with = "amount_or_off")]
    pub country_per_hour: Option<u64>,
    #[serde(deserialize_with = "within::<_, _, 0, 100>")]
    pub conversion_percent: u32,
    #[serde(deserialize_with = "within::<_, _, 1, 1000>")]
    pub conversion_of: u32,
    #[serde(deserialize_with = "span::<_, 60, 86_400>")]
    pub conversion_window: Duration,
    #[serde(deserialize_with = "within::<_, _, 1, 15>")]
    pub conversion_digits: usize,
}

impl Config {
    /// The operator's rules about money. A sandbox reaches everything; production calls nobody until told
    /// to.
    #[must_use]
    pub fn spending(&self) -> Spending {
        let (fuses, named) = (&self.fuses, &self.named);
        let everywhere = || vec![String::new()];
        let open = self.destinations.clone();
        let unheard = if self.mode == Mode::Sandbox { everywhere() } else { Vec::new() };
        Spending {
            mode: fuses.mode,
            currency: fuses.currency.clone(),
            prices: Prices { rows: named.prices.clone(), unknown: fuses.unknown_price },
            account_day: fuses.account_per_day,
            country_hour: fuses.country_per_hour,
            destinations: Destinations {
                sms: open.sms.unwrap_or_else(everywhere),
                voice: open.voice.unwrap_or(unheard),
            },
            accounts: named.accounts.clone(),
            // The inbox of a sandbox is read by people who try things out and use few codes.
            conversion: (fuses.conversion_percent > 0 && !named.senders.is_empty()).then_some(
                Conversion {
                    percent: fuses.conversion_percent,
                    of: fuses.conversion_of,
                    window: fuses.conversion_window,
                    digits: fuses.conversion_digits,
                },
            ),
        }
    }
}

/// Reads `[prices.SENDER]`: `sms = 0.07` is the price everywhere, `"sms+49" = 0.08` that of a prefix.
pub(super) fn prices(reader: &mut Reader<'_>, senders: &[Sender]) -> Vec<Price> {
    let sender = reader.name().to_owned();
    if sender != service::queries::INBOX && !senders.iter().any(|it| it.name == sender) {
        reader.complain_of_all(format!("there is no sender `{sender}`"));
    }
    let mut prices = Vec::new();
    for key in reader.rest() {
        let (word, prefix) = key.split_once('+').unwrap_or((&key, ""));
        let method = match word {
            "sms" => CodeMethod::Sms,
            "voice" => CodeMethod::Voice,
            _ => continue,
        };
        let digits = prefix.len() <= 15 && prefix.bytes().all(|b| b.is_ascii_digit());
        let Some(value) = reader.value(&key) else { continue };
        match Amount::of(&value) {
            Ok(Amount(amount)) if digits => prices.push(Price {
                sender: sender.clone(),
                method,
                prefix: prefix.to_owned(),
                amount,
            }),
            Ok(_) => reader.complain(&key, "write sms, voice, or a prefix with it: \"sms+49\""),
            Err(message) => reader.complain(&key, message),
        }
    }
    // For suggestions, should anything be left.
    for word in ["sms", "voice"] {
        let _ = reader.value(word);
    }
    prices
}

/// Reads `[accounts.NAME]`.
pub(super) fn account(reader: &mut Reader<'_>) -> Option<(AccountId, AccountRules)> {
    let name = AccountId::parse(reader.name());
    if name.is_none() {
        reader.complain_of_all("is no id of an account");
    }
    let rules = AccountRules {
        day: reader.value("per_day").and_then(|value| match Amount::of(&value) {
            Ok(Amount(amount)) => Some(amount),
            Err(message) => {
                reader.complain("per_day", message);
                None
            }
        }),
        sms: prefixes_or_none(reader, "sms"),
        voice: prefixes_or_none(reader, "voice"),
    };
    Some((name?, rules))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_exact() {
        for (text, millionths) in [
            ("0.075", Some(75_000)),
            ("12", Some(12_000_000)),
            ("0.000001", Some(1)),
            ("0.0000001", None),
            ("-1", None),
            ("1e3", None),
            (".5", None),
            ("1,5", None),
            ("99999999999", None),
        ] {
            assert_eq!(text.parse::<Amount>().ok().map(|it| it.0), millionths, "{text}");
        }
        assert_eq!(Amount::of(&Value::Float(0.07)), Ok(Amount(70_000)));
        assert_eq!(Amount::of(&Value::Integer(3)), Ok(Amount(3_000_000)));
    }
}
