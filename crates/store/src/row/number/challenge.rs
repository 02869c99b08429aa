//! A code on its way, as it stands in the row of its number.

use std::borrow::Cow;

use registration::{Challenge, ChallengeId, ClientId, DoubtfulGuesses, TextId as _, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Millis, at, from_hex128, hex128, is_default};

#[derive(Serialize, Deserialize)]
pub(super) struct ChallengeTwin<'a> {
    #[serde(rename = "i", borrow)]
    id: Cow<'a, str>,
    #[serde(rename = "e", default, skip_serializing_if = "is_default")]
    key_epoch: u32,
    #[serde(rename = "a")]
    created_at: Millis,
    /// Absent where it is `created_at`.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    first_asked_at: Option<Millis>,
    #[serde(rename = "r")]
    requested_at: Millis,
    #[serde(rename = "g", default, skip_serializing_if = "is_default")]
    guesses: u32,
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    last_guess_at: Option<Millis>,
    #[serde(rename = "d", default, skip_serializing_if = "is_default")]
    doubtful: (u32, Option<Millis>),
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pin_proven_at: Option<Millis>,
    #[serde(rename = "c", borrow, default, skip_serializing_if = "Option::is_none")]
    client: Option<Cow<'a, str>>,
}

impl<'a> ChallengeTwin<'a> {
    pub(super) fn of(challenge: &'a Challenge) -> Self {
        let (first, doubtful) = (challenge.first_asked_at, challenge.doubtful);
        Self {
            id: hex128(challenge.id.0).into(),
            key_epoch: challenge.key_epoch,
            created_at: challenge.created_at.as_millis(),
            first_asked_at: (first != challenge.created_at).then_some(first.as_millis()),
            requested_at: challenge.requested_at.as_millis(),
            guesses: challenge.guesses,
            last_guess_at: challenge.last_guess_at.map(Timestamp::as_millis),
            doubtful: (doubtful.count, doubtful.last_at.map(Timestamp::as_millis)),
            pin_proven_at: challenge.pin_proven_at.map(Timestamp::as_millis),
            client: challenge.client.as_ref().map(|it| it.as_str().into()),
        }
    }

    pub(super) fn into_challenge(self) -> Option<Challenge> {
        let (count, last_at) = self.doubtful;
        Some(Challenge {
            id: ChallengeId(from_hex128(&self.id)?),
            key_epoch: self.key_epoch,
            created_at: at(self.created_at),
            first_asked_at: at(self.first_asked_at.unwrap_or(self.created_at)),
            requested_at: at(self.requested_at),
            guesses: self.guesses,
            last_guess_at: self.last_guess_at.map(at),
            doubtful: DoubtfulGuesses { count, last_at: last_at.map(at) },
            pin_proven_at: self.pin_proven_at.map(at),
            client: match self.client {
                Some(id) => Some(ClientId::parse(&id)?),
                None => None,
            },
        })
    }
}
