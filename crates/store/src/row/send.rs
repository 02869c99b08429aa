//! Sends: the columns a worker needs, the rest as JSON.

use std::borrow::Cow;

use registration::{
    ChallengeId, CodeMethod, CodeSend, Locale, PhoneNumber, PhoneNumberId, TextId, Timestamp,
    WabaId,
};
use serde::{Deserialize, Serialize};
use service::ports::{Attempt, AttemptOutcome, Send, SendId, SendState};

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
    pub(crate) handed_over_at: Option<i64>,
    pub(crate) confirmed_at: Option<i64>,
    pub(crate) in_doubt: bool,
    pub(crate) charged: u64,
    pub(crate) tries: Option<String>,
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
    #[serde(rename = "b", default, skip_serializing_if = "Vec::is_empty")]
    budgets: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct TryTwin {
    #[serde(rename = "s")]
    sender: String,
    #[serde(rename = "b")]
    started_at: i64,
    #[serde(rename = "e")]
    ended_at: i64,
    #[serde(rename = "o")]
    outcome: OutcomeTwin,
}

#[derive(Serialize, Deserialize)]
enum OutcomeTwin {
    #[serde(rename = "t")]
    Taken,
    #[serde(rename = "u")]
    Unavailable(String),
    #[serde(rename = "d")]
    Doubtful(String),
    #[serde(rename = "r")]
    Rejected(String),
}

#[derive(Serialize, Deserialize)]
enum MethodTwin {
    #[serde(rename = "s")]
    Sms,
    #[serde(rename = "v")]
    Voice,
}

/// State, time and reason as three columns. States below 2 are open to workers.
pub(crate) fn state_to_columns(state: &SendState) -> (i64, i64, Option<&str>) {
    match state {
        SendState::Decided { due_at } => (0, due_at.as_millis(), None),
        SendState::Claimed { until, begun: false } => (-1, until.as_millis(), None),
        SendState::Claimed { until, begun: true } => (1, until.as_millis(), None),
        SendState::HandedOver { at } => (2, at.as_millis(), None),
        SendState::Delivered { at } => (3, at.as_millis(), None),
        SendState::Failed { at, reason } => (4, at.as_millis(), Some(reason.as_str())),
    }
}

/// The state that three columns stand for, unless `state` is no state.
fn state_from_columns(state: i64, at: i64, reason: Option<String>) -> Option<SendState> {
    let at = Timestamp::from_millis(at);
    match state {
        0 => Some(SendState::Decided { due_at: at }),
        -1 => Some(SendState::Claimed { until: at, begun: false }),
        1 => Some(SendState::Claimed { until: at, begun: true }),
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
            budgets: send.budgets,
        });
        let (state, at, reason) = state_to_columns(&send.state);
        Self {
            id: send.id,
            number: send.number,
            account: send.account.to_string(),
            state,
            at,
            attempt: send.attempt,
            sender: send.sender,
            provider_id: send.provider_id,
            reason: reason.map(str::to_owned),
            body,
            handed_over_at: send.handed_over_at.map(Timestamp::as_millis),
            confirmed_at: send.confirmed_at.map(Timestamp::as_millis),
            in_doubt: send.in_doubt,
            charged: send.charged,
            tries: Some(tries_to_column(&send.tries)).filter(|tries| !tries.is_empty()),
        }
    }

    /// The send that this row holds.
    pub(crate) fn into_send(self) -> Result<Send, BadRow> {
        let id = self.id;
        let place = Place { table: "sends", id: &id };
        let body: Body<'_> = place.json("body", &self.body)?;
        let tries = format!("[{}]", self.tries.as_deref().unwrap_or_default());
        let tries: Vec<TryTwin> = place.json("tries", &tries)?;
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
            handed_over_at: self.handed_over_at.map(Timestamp::from_millis),
            confirmed_at: self.confirmed_at.map(Timestamp::from_millis),
            in_doubt: self.in_doubt,
            charged: self.charged,
            budgets: body.budgets,
            tries: tries.into_iter().map(TryTwin::into_attempt).collect(),
        })
    }
}

/// Tries as they stand in their column, ready to be added to others behind a comma.
pub(crate) fn tries_to_column(tries: &[Attempt]) -> String {
    let texts: Vec<String> = tries.iter().map(|it| to_json(&TryTwin::of(it))).collect();
    texts.join(",")
}

/// A challenge as the body names it.
pub(crate) fn challenge_to_column(challenge: ChallengeId) -> String {
    hex128(challenge.0)
}

impl TryTwin {
    fn of(it: &Attempt) -> Self {
        Self {
            sender: it.sender.clone(),
            started_at: it.started_at.as_millis(),
            ended_at: it.ended_at.as_millis(),
            outcome: match &it.outcome {
                AttemptOutcome::Taken => OutcomeTwin::Taken,
                AttemptOutcome::Unavailable { reason, uncertain: false } => {
                    OutcomeTwin::Unavailable(reason.clone())
                }
                AttemptOutcome::Unavailable { reason, uncertain: true } => {
                    OutcomeTwin::Doubtful(reason.clone())
                }
                AttemptOutcome::Rejected { reason } => OutcomeTwin::Rejected(reason.clone()),
            },
        }
    }

    fn into_attempt(self) -> Attempt {
        Attempt {
            sender: self.sender,
            started_at: Timestamp::from_millis(self.started_at),
            ended_at: Timestamp::from_millis(self.ended_at),
            outcome: match self.outcome {
                OutcomeTwin::Taken => AttemptOutcome::Taken,
                OutcomeTwin::Unavailable(reason) => {
                    AttemptOutcome::Unavailable { reason, uncertain: false }
                }
                OutcomeTwin::Doubtful(reason) => {
                    AttemptOutcome::Unavailable { reason, uncertain: true }
                }
                OutcomeTwin::Rejected(reason) => AttemptOutcome::Rejected { reason },
            },
        }
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
            handed_over_at: None,
            confirmed_at: None,
            in_doubt: false,
            charged: 0,
            tries: None,
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
