//! What the numbering plan says about a number while it is being typed.

use registration::{Channels, NumberKind, PhoneNumber};
use service::numbering::{NumberFault, international_format, plan_e164};

use super::Console;
use super::frame::Frame;
use super::numbers::Details;
use super::shape::{fill, kind_words, typed_number};

/// The answer, and what the form offers because of it.
pub(super) struct Check {
    /// The number as people read it; nothing typed yet, or no number: `None`.
    pub international: Option<String>,
    /// `Mobile`.
    pub kind: &'static str,
    /// ISO 3166-1 alpha-2; empty if no single country.
    pub region: String,
    /// What is wrong with it.
    pub fault: Option<&'static str>,
    /// What its kind means for the code.
    pub advice: &'static str,
    /// Who holds it at the moment.
    pub held: Option<String>,
    pub channels: Channels,
    /// Which of the two is chosen.
    pub by_voice: bool,
    /// It has a PIN that must come along.
    pub needs_pin: bool,
}

/// Looks at what was typed.
pub(super) async fn check(console: &Console, frame: &Frame, typed: &str, method: &str) -> Check {
    let t = &frame.t.register;
    let mut check = Check {
        international: None,
        kind: "",
        region: String::new(),
        fault: None,
        advice: "",
        held: None,
        channels: NumberKind::Mobile.channels(),
        by_voice: method == "voice",
        needs_pin: false,
    };
    let digits = typed_number(typed);
    if digits.is_empty() {
        return check;
    }
    let planned = match plan_e164(&digits) {
        Ok(planned) => planned,
        Err(fault) => {
            check.fault = Some(match fault {
                NumberFault::NotDigits => t.fault_digits,
                NumberFault::UnknownCountryCode => t.fault_country,
                NumberFault::ShortCode => t.fault_short_code,
                NumberFault::TooShort => t.fault_short,
                NumberFault::TooLong => t.fault_long,
                NumberFault::NotAssigned => t.fault_range,
            });
            return check;
        }
    };
    let channels = planned.kind.channels();
    check.international = Some(international_format(planned.number));
    check.kind = kind_words(frame.t, planned.kind.as_str());
    check.region = planned.region.map(|region| region.to_string()).unwrap_or_default();
    check.channels = channels;
    check.by_voice = channels.voice && (method == "voice" || !channels.sms);
    check.advice = match (channels.sms, channels.voice, planned.kind) {
        (true, ..) => t.takes_both,
        (false, true, NumberKind::TollFree) => t.takes_voice_toll_free,
        (false, true, _) => t.takes_voice,
        (false, false, _) => t.takes_none,
    };
    let path = format!("/numbers/{}", planned.number.digits());
    // A number that nobody named before is no trouble here.
    if let Ok(known) = console.inside.get::<Details>(&path).await {
        check.needs_pin = known.two_step.enabled;
        let held = known.registration.as_ref();
        check.held = held.map(|held| {
            fill(t.registered_elsewhere, format!("{}, WABA {}", held.words(frame.t), held.waba))
        });
    }
    check
}

/// The channels that can reach a number; both where no plan knows it any more.
pub(super) fn channels(number: &str) -> Channels {
    let planned = PhoneNumber::parse(number).ok().and_then(|it| plan_e164(&it.digits()).ok());
    planned.map_or(NumberKind::Mobile, |planned| planned.kind).channels()
}
