//! Registrars upstream and what is known there.

use registration::{ClientId, CodeMethod, PhoneNumber, TextId as _, Timestamp, VerifiedName};
use serde::{Deserialize, Serialize};
use service::directory::{Call, Seen, UnderWay, Upstream, UpstreamNumber};
use service::ports::Registrar;

use super::super::{BadRow, is_default, to_json};
use super::{Reader, at};

#[derive(Serialize, Deserialize)]
struct UpstreamTwin {
    registrar: String,
    url: String,
    remote: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    sealed: String,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct NumberTwin {
    waba: String,
    number: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remote: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<SeenTwin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    under_way: Option<UnderWayTwin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirmed: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    own_code: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    candidate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drift: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct SeenTwin {
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registered: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin_enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name_status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quality: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct UnderWayTwin {
    what: String,
    #[serde(default, skip_serializing_if = "is_default")]
    voice: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<String>,
    since: i64,
    settles_at: i64,
}

pub(super) fn upstream_body(it: &Upstream) -> String {
    to_json(&UpstreamTwin {
        registrar: it.registrar.as_str().to_owned(),
        url: it.base_url.clone(),
        remote: it.remote_id.clone(),
        version: it.version.clone(),
        key: it.access_key_id.clone(),
        sealed: it.sealed.clone(),
        at: it.created_at.as_millis(),
    })
}

pub(super) fn number_body(it: &UpstreamNumber) -> String {
    to_json(&NumberTwin {
        waba: it.waba.as_str().to_owned(),
        number: it.number.as_u64(),
        remote: it.remote_id.clone(),
        seen: it.seen.as_ref().map(SeenTwin::of),
        under_way: it.under_way.as_ref().map(UnderWayTwin::of),
        confirmed: it.confirmed.clone(),
        own_code: it.own_code,
        pin: it.sealed_pin.clone(),
        candidate: it.sealed_candidate.clone(),
        drift: it.drift.clone(),
    })
}

impl SeenTwin {
    fn of(seen: &Seen) -> Self {
        Self {
            at: seen.at.as_millis(),
            registered: seen.registered,
            verified: seen.verified,
            pin_enabled: seen.pin_enabled,
            status: seen.status.clone(),
            name_status: seen.name_status.clone(),
            quality: seen.quality.clone(),
        }
    }

    fn into_seen(self) -> Seen {
        Seen {
            at: at(self.at),
            registered: self.registered,
            verified: self.verified,
            pin_enabled: self.pin_enabled,
            status: self.status,
            name_status: self.name_status,
            quality: self.quality,
        }
    }
}

const REQUEST_CODE: &str = "request_code";
const VERIFY_CODE: &str = "verify_code";
const REGISTER: &str = "register";
const DEREGISTER: &str = "deregister";
const CHANGE_NAME: &str = "change_name";

impl UnderWayTwin {
    fn of(under_way: &UnderWay) -> Self {
        let text = |client: &ClientId| client.as_str().to_owned();
        let (what, voice, client, mark) = match &under_way.what {
            Call::RequestCode { method, client } => {
                (REQUEST_CODE, *method == CodeMethod::Voice, client.as_ref().map(text), None)
            }
            Call::VerifyCode { mark } => (VERIFY_CODE, false, None, Some(mark.clone())),
            Call::Register { client } => (REGISTER, false, client.as_ref().map(text), None),
            Call::Deregister => (DEREGISTER, false, None, None),
            Call::ChangeName { name } => (CHANGE_NAME, false, None, Some(name.as_str().to_owned())),
        };
        Self {
            what: what.to_owned(),
            voice,
            client,
            mark,
            since: under_way.since.as_millis(),
            settles_at: under_way.settles_at.as_millis(),
        }
    }

    fn into_under_way(self) -> Option<UnderWay> {
        let client = match self.client {
            Some(text) => Some(ClientId::parse(&text)?),
            None => None,
        };
        let method = if self.voice { CodeMethod::Voice } else { CodeMethod::Sms };
        let what = match self.what.as_str() {
            REQUEST_CODE => Call::RequestCode { method, client },
            VERIFY_CODE => Call::VerifyCode { mark: self.mark? },
            REGISTER => Call::Register { client },
            DEREGISTER => Call::Deregister,
            CHANGE_NAME => Call::ChangeName { name: VerifiedName::parse(&self.mark?).ok()? },
            _ => return None,
        };
        let (since, settles_at): (Timestamp, _) = (at(self.since), at(self.settles_at));
        Some(UnderWay { what, since, settles_at })
    }
}

impl Reader<'_> {
    pub(super) fn upstream(&self) -> Result<Upstream, BadRow> {
        let twin: UpstreamTwin = self.twin()?;
        Ok(Upstream {
            waba: self.own_id()?,
            registrar: self.place.ok("body", Registrar::parse(&twin.registrar))?,
            base_url: twin.url,
            remote_id: twin.remote,
            version: twin.version,
            access_key_id: twin.key,
            sealed: twin.sealed,
            created_at: at(twin.at),
        })
    }

    pub(super) fn upstream_number(&self) -> Result<UpstreamNumber, BadRow> {
        let twin: NumberTwin = self.twin()?;
        let number = PhoneNumber::parse(&twin.number.to_string()).ok();
        let under_way = match twin.under_way {
            Some(twin) => Some(self.place.ok("body", twin.into_under_way())?),
            None => None,
        };
        Ok(UpstreamNumber {
            waba: self.id_in_body(&twin.waba)?,
            number: self.place.ok("body", number)?,
            remote_id: twin.remote,
            seen: twin.seen.map(SeenTwin::into_seen),
            under_way,
            confirmed: twin.confirmed,
            own_code: twin.own_code,
            sealed_pin: twin.pin,
            sealed_candidate: twin.candidate,
            drift: twin.drift,
        })
    }
}
