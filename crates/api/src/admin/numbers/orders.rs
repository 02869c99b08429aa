//! What may be ordered for a number, and for whom.

use registration::{AccountId, ClientId, CodeMethod, Locale, Platform, WabaId};
use serde::{Deserialize, Deserializer};
use service::clients::DEFAULT;
use service::directory::{Client, EntityRef};
use service::numbers::{PinInput, RegisterOrder};
use utoipa::ToSchema;

use super::super::failure::Failure;
use super::super::wire::{Code, Id, Name, Pin, PlannedNumber};
use crate::state::App;

/// A claim on a number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewNumber {
    /// E.164.
    #[schema(value_type = String, example = "+4915112345667")]
    pub number: PlannedNumber,
    #[schema(value_type = String)]
    pub waba: Id<WabaId>,
    /// Display name.
    #[schema(value_type = String, example = "Lucky Shrub")]
    pub name: Name,
}

/// How a code travels.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Method {
    Sms,
    Voice,
}

/// An order for a code, for a client or for a WABA on the hosted platform.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestCode {
    /// Whose claim; the client's if absent.
    #[schema(value_type = Option<String>)]
    pub waba: Option<Id<WabaId>>,
    /// The On-Premises client that shall run the number.
    #[schema(value_type = Option<String>, example = "default")]
    pub client: Option<Id<ClientId>>,
    pub method: Method,
    /// Language of the message; English if absent.
    #[schema(value_type = Option<String>, example = "de")]
    pub locale: Option<Language>,
    /// The number's two-step PIN, where it has one.
    #[schema(value_type = Option<String>, format = Password)]
    pub pin: Option<Pin>,
    /// Display name of the claim to make if there is none.
    #[schema(value_type = Option<String>)]
    pub name: Option<Name>,
}

/// A code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyCode {
    /// Whose claim; the client's if absent.
    #[schema(value_type = Option<String>)]
    pub waba: Option<Id<WabaId>>,
    /// The On-Premises client that shall run the number.
    #[schema(value_type = Option<String>, example = "default")]
    pub client: Option<Id<ClientId>>,
    /// `123456`, `123-456` or `123 456`.
    #[schema(value_type = String, format = Password)]
    pub code: Code,
    /// Register in the same step; yes if absent.
    pub register: Option<bool>,
    /// The number's two-step PIN, where it has one.
    #[schema(value_type = Option<String>, format = Password)]
    pub pin: Option<Pin>,
    /// Switch two-step verification on with this PIN, if it is off.
    #[schema(value_type = Option<String>, format = Password)]
    pub set_pin: Option<Pin>,
}

/// An order to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterRequest {
    /// Whose claim; the client's if absent.
    #[schema(value_type = Option<String>)]
    pub waba: Option<Id<WabaId>>,
    /// The On-Premises client that shall run the number.
    #[schema(value_type = Option<String>, example = "default")]
    pub client: Option<Id<ClientId>>,
    /// The number's two-step PIN, where it has one.
    #[schema(value_type = Option<String>, format = Password)]
    pub pin: Option<Pin>,
    /// Switch two-step verification on with this PIN, if it is off.
    #[schema(value_type = Option<String>, format = Password)]
    pub set_pin: Option<Pin>,
}

/// A PIN to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPin {
    /// Six digits.
    #[schema(value_type = String, format = Password)]
    pub pin: Pin,
}

/// A language tag.
#[derive(Debug, Clone)]
pub(crate) struct Language(pub Locale);

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let problem = "a language tag such as de or pt_BR";
        let locale = Locale::parse(&String::deserialize(from)?);
        locale.map(Self).ok_or_else(|| serde::de::Error::custom(problem))
    }
}

impl From<Method> for CodeMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Sms => Self::Sms,
            Method::Voice => Self::Voice,
        }
    }
}

/// For whom an order is: a client and its WABA, or a WABA alone.
pub(crate) struct Party {
    pub waba: WabaId,
    pub account: AccountId,
    pub client: Option<Client>,
}

impl Party {
    /// Looks up whom an order names.
    pub(crate) async fn find(
        app: &App,
        waba: Option<Id<WabaId>>,
        client: Option<Id<ClientId>>,
    ) -> Result<Self, Failure> {
        let client =
            match client {
                Some(Id(id)) => Some(app.service.client(&id).await?.ok_or_else(|| {
                    Failure::invalid("client", format!("there is no client {id}"))
                })?),
                None => None,
            };
        let waba = match (waba, &client) {
            (Some(Id(waba)), _) => waba,
            (None, Some(client)) => client.waba.clone(),
            (None, None) => {
                return Err(Failure::invalid(
                    "waba",
                    format!("name a waba, or a client such as {DEFAULT}"),
                ));
            }
        };
        let found = app.service.entity(&EntityRef::waba(&waba)).await?;
        let account = found.and_then(|it| it.value.into_waba()).map(|waba| waba.account);
        let account =
            account.ok_or_else(|| Failure::invalid("waba", format!("there is no WABA {waba}")))?;
        if client.as_ref().is_some_and(|client| client.account != account) {
            let problem = format!("WABA {waba} is not in the client's account");
            return Err(Failure::invalid("waba", problem));
        }
        Ok(Self { waba, account, client })
    }

    /// Refuses while Coreapp of the client restarts, as the dialect does.
    pub(crate) async fn coreapp_up(&self, app: &App) -> Result<(), Failure> {
        match &self.client {
            Some(client) => Ok(app.service.coreapp_up(client).await?),
            None => Ok(()),
        }
    }

    /// The order to register for this party.
    pub(crate) fn register_order(&self, given: Option<Pin>, set: Option<Pin>) -> RegisterOrder {
        let client = self.client.as_ref().map(|client| client.id.clone());
        RegisterOrder {
            platform: client.map_or(Platform::CloudApi, |client| Platform::OnPremise { client }),
            pin: pin(given),
            set_pin: set.map(|pin| pin.0),
        }
    }
}

/// The PIN that came along.
pub(crate) fn pin(given: Option<Pin>) -> PinInput {
    given.map_or(PinInput::Absent, |pin| PinInput::Given(pin.0))
}
