//! The numbers of a seed file.

use std::collections::{HashMap, HashSet};

use registration::{
    ClientId, CodeMethod, PhoneNumber, PhoneNumberId, Platform, TextId as _, TwoStepPin,
    VerifiedName,
};
use service::certificate::Certificate;
use service::numbering::plan_e164;
use service::seed::{SeedNumber, SeedStanding, SeedState};

use super::accounts::id_text;
use super::reader::Section;

/// Highest budget that a seed may spend; far above every limit.
const SPENT_MAX: u32 = 1_000;

/// Keys that belong to the number itself, whoever claims it.
const STANDING: [&str; 8] = [
    "two_step_pin",
    "locked",
    "sms_sent",
    "voice_calls",
    "failed_guesses",
    "register_calls",
    "deregister_calls",
    "pin_failures",
];

/// What the entries so far said, for what no two of them may say.
#[derive(Debug, Default)]
pub(super) struct Census {
    claimed_here: HashSet<PhoneNumber>,
    registered: HashSet<PhoneNumber>,
    running: HashMap<ClientId, PhoneNumber>,
    standing: HashSet<PhoneNumber>,
}

/// The states, as words of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Unverified,
    AwaitingCode,
    Verified,
    Registered,
}

/// A claim on a number; `None` if something is wrong with it, which was noted then.
pub(super) fn number(section: &Section<'_>, census: &mut Census) -> Option<SeedNumber> {
    let own = ["phone_number", "id", "verified_name", "certificate", "state", "client"];
    let known: Vec<_> = own.into_iter().chain(["method", "platform"]).chain(STANDING).collect();
    section.knows(&known);
    let planned = section.needed("phone_number", plan_e164);
    let id: Option<PhoneNumberId> = section.text("id", id_text);
    if let Some(id) = &id {
        section.unique("phone-number id", "id", id.as_str());
    }
    let name = section.text("verified_name", VerifiedName::parse);
    let certificate = section.text("certificate", Certificate::decode);
    if !section.has("verified_name") && !section.has("certificate") {
        section.problem("verified_name", "is missing");
    }
    let serial = certificate.as_ref().and_then(|certificate| certificate.serial);
    let name = name.or(certificate.map(|certificate| certificate.name));
    let state = state(section);
    let standing = standing(section);
    let planned = planned?;
    census.admit(section, planned.number, &state, standing.is_some());
    let certificate_serial = serial;
    Some(SeedNumber { planned, id, name: name?, certificate_serial, state, standing })
}

fn state(section: &Section<'_>) -> SeedState {
    let words = [
        ("unverified", Word::Unverified),
        ("awaiting_code", Word::AwaitingCode),
        ("verified", Word::Verified),
        ("registered", Word::Registered),
    ];
    let word = section.word("state", &words).unwrap_or(Word::Unverified);
    let only = |key: &str, words: &[Word], names: &str| {
        if section.has(key) && !words.contains(&word) {
            section.problem(key, &format!("has a meaning only where state is {names}"));
        }
    };
    only("client", &[Word::AwaitingCode, Word::Registered], "awaiting_code or registered");
    only("method", &[Word::AwaitingCode], "awaiting_code");
    only("platform", &[Word::Registered], "registered");
    let client: Option<ClientId> = section.text("client", id_text);
    let methods = [("sms", CodeMethod::Sms), ("voice", CodeMethod::Voice)];
    let method = section.word("method", &methods).unwrap_or(CodeMethod::Sms);
    match word {
        Word::Unverified => SeedState::Unverified,
        Word::AwaitingCode => SeedState::AwaitingCode { method, client },
        Word::Verified => SeedState::Verified,
        Word::Registered => SeedState::Registered(platform(section, client)),
    }
}

/// Where a registered number runs: on the client that is named, else on the hosted platform.
fn platform(section: &Section<'_>, client: Option<ClientId>) -> Platform {
    let on_premise = section.word("platform", &[("on_premise", true), ("cloud_api", false)]);
    match (on_premise, client) {
        (Some(false), Some(_)) => {
            section.problem("platform", "is cloud_api, so there can be no client");
            Platform::CloudApi
        }
        (Some(true), None) => {
            section.problem("platform", "is on_premise, so a client is needed");
            Platform::CloudApi
        }
        (None | Some(true), Some(client)) => Platform::OnPremise { client },
        (None | Some(false), None) => Platform::CloudApi,
    }
}

fn standing(section: &Section<'_>) -> Option<SeedStanding> {
    let spent = |key| section.count(key, SPENT_MAX).unwrap_or(0);
    let standing = SeedStanding {
        two_step_pin: section.text("two_step_pin", TwoStepPin::parse),
        locked: section.flag("locked").unwrap_or(false),
        sms_sent: spent("sms_sent"),
        voice_calls: spent("voice_calls"),
        failed_guesses: spent("failed_guesses"),
        register_calls: spent("register_calls"),
        deregister_calls: spent("deregister_calls"),
        pin_failures: spent("pin_failures"),
    };
    STANDING.iter().any(|key| section.has(key)).then_some(standing)
}

impl Census {
    /// A WABA begins: it may claim each number once.
    pub(super) fn begin_waba(&mut self) {
        self.claimed_here.clear();
    }

    /// Notes an entry, and what is wrong with it in the light of those before.
    fn admit(
        &mut self,
        section: &Section<'_>,
        number: PhoneNumber,
        state: &SeedState,
        has_standing: bool,
    ) {
        if !self.claimed_here.insert(number) {
            section.problem("phone_number", "stands in this WABA already");
        }
        if let SeedState::Registered(platform) = state {
            if !self.registered.insert(number) {
                section.problem("state", "another WABA has this number registered already");
            }
            if let Platform::OnPremise { client } = platform
                && *self.running.entry(client.clone()).or_insert(number) != number
            {
                section.problem("client", "runs another number already");
            }
        }
        if has_standing && !self.standing.insert(number) {
            let key = STANDING.into_iter().find(|key| section.has(key)).unwrap_or("phone_number");
            section.problem(key, "belongs to the number: give it in one of its entries only");
        }
    }
}
