//! Sends: the columns a worker needs, the rest as JSON.

use std::borrow::Cow;

use registration::{
    ChallengeId, CodeMethod, CodeSend, Locale, PhoneNumber, PhoneNumberId, TextId, Timestamp,
    WabaId,
};
use serde::{Deserialize, Serialize};
use service::ports::{Send, SendId, SendState};

use super::{BadRow, Place, from_hex128, hex128, to_json};

/// A row of the ledger.
pub(crate) struct SendRow {
    pub(crate) id: SendId,
    pub(crate) number: PhoneNumber,
    pub(crate) account: String,
    pub(crate) state: i64,
    pub(crate) at: i64,
    pub(crate) attempt: u32,
    pub(crate) sender: Option<String>,
    pub(crate) provider_id: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) body: String,
}

#[derive(Serialize, Deserialize)]
struct Body<'a> {
    #[serde(rename = "d", borrow)]
    dialect: Cow<'a, str>,
    #[serde(rename = "i", borrow)]
    claim: Cow<'a, str>,
    #[serde(rename = "w", borrow)]
    waba: Cow<'a, str>,
    #[serde(rename = "c", borrow)]
    challenge: Cow<'a, str>,
    #[serde(rename = "e")]
    key_epoch: u32,
    #[serde(rename = "m")]
    method: MethodTwin,
    #[serde(rename = "l", borrow)]
    locale: Cow<'a, str>,
    #[serde(rename = "u")]
    useless_after: i64,
    #[serde(rename = "a")]
    decided_at: i64,
}

#[derive(Serialize, Deserialize)]
enum MethodTwin {
    #[serde(rename = "s")]
    Sms,
    #[serde(rename = "v")]
    Voice,
}

/// State, time and reason as three columns. States below 2 are open to workers.
pub(crate) fn state_to_columns(state: SendState) -> (i64, i64, Option<String>) {
    match state {
        SendState::Decided { due_at } => (0, due_at.as_millis(), None),
        SendState::Claimed { until } => (1, until.as_millis(), None),
        SendState::HandedOver { at } => (2, at.as_millis(), None),
        SendState::Delivered { at } => (3, at.as_millis(), None),
        SendState::Failed { at, reason } => (4, at.as_millis(), Some(reason)),
    }
}

/// The state that three columns stand for, unless `state` is no state.
fn state_from_columns(state: i64, at: i64, reason: Option<String>) -> Option<SendState> {
    let at = Timestamp::from_millis(at);
    match state {
        0 => Some(SendState::Decided { due_at: at }),
        1 => Some(SendState::Claimed { until: at }),
        2 => Some(SendState::HandedOver { at }),
        3 => Some(SendState::Delivered { at }),
        4 => Some(SendState::Failed { at, reason: reason.unwrap_or_default() }),
        _ => None,
    }
}

impl SendRow {
    /// The row of `send`.
    pub(crate) fn of(send: Send) -> Self {
        let what = &send.what;
        let body = to_json(&Body {
            dialect: send.dialect.as_str().into(),
            claim: what.claim.as_str().into(),
            waba: what.waba.as_str().into(),
            challenge: hex128(what.challenge.0).into(),
            key_epoch: what.key_epoch,
            method: match what.method {
                CodeMethod::Sms => MethodTwin::Sms,
                CodeMethod::Voice => MethodTwin::Voice,
            },
            locale: what.locale.as_str().into(),
            useless_after: what.useless_after.as_millis(),
            decided_at: send.decided_at.as_millis(),
        });
        let (state, at, reason) = state_to_columns(send.state);
        Self {
            id: send.id,
            number: send.number,
            account: send.account.to_string(),
            state,
            at,
            attempt: send.attempt,
            sender: send.sender,
            provider_id: send.provider_id,
            reason,
            body,
        }
    }

    /// The send that this row holds.
    pub(crate) fn into_send(self) -> Result<Send, BadRow> {
        let id = self.id;
        let place = Place { table: "sends", id: &id };
        let body: Body<'_> = place.json("body", &self.body)?;
        Ok(Send {
            id,
            number: self.number,
            account: place.ok("account", TextId::parse(&self.account))?,
            what: place.ok("body", body.what())?,
            decided_at: Timestamp::from_millis(body.decided_at),
            dialect: body.dialect.into_owned(),
            state: place.ok("state", state_from_columns(self.state, self.at, self.reason))?,
            attempt: self.attempt,
            sender: self.sender,
            provider_id: self.provider_id,
        })
    }
}

impl Body<'_> {
    fn what(&self) -> Option<CodeSend> {
        Some(CodeSend {
            claim: PhoneNumberId::parse(&self.claim)?,
            waba: WabaId::parse(&self.waba)?,
            challenge: ChallengeId(from_hex128(&self.challenge)?),
            key_epoch: self.key_epoch,
            method: match self.method {
                MethodTwin::Sms => CodeMethod::Sms,
                MethodTwin::Voice => CodeMethod::Voice,
            },
            locale: Locale::parse(&self.locale)?,
            useless_after: Timestamp::from_millis(self.useless_after),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_send_names_its_place() {
        let row = |account: &str, state, body: &str| SendRow {
            id: SendId(7),
            number: PhoneNumber::parse("4915112345667").expect("valid"),
            account: account.into(),
            state,
            at: 0,
            attempt: 0,
            sender: None,
            provider_id: None,
            reason: None,
            body: body.into(),
        };
        let good = r#"{"d":"graph","i":"1","w":"2","c":"00000000000000000000000000000003","e":1,"m":"s","l":"en","u":9,"a":1}"#;
        assert!(row("default", 2, good).into_send().is_ok());
        for (row, column) in [
            (row("a b", 0, good), "account"),
            (row("default", 5, good), "state"),
            (row("default", 0, "{"), "body"),
            (row("default", 0, &good.replace("00000003", "3")), "body"),
        ] {
            let error = row.into_send().expect_err(column).to_string();
            let place = format!("sends.{column} of 00000000000000000000000000000007 is damaged");
            assert!(error.starts_with(&place), "{error}");
        }
    }
}
