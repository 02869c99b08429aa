//! The directory: key, parent and look-up as columns, the rest as JSON, a document's content as it is.

mod claim_document;
mod graph;
mod key_mark;
mod operator;
mod ram;
mod upstream;
mod webhook;

use std::borrow::Cow;

use registration::{PhoneNumber, TextId, Timestamp};
use serde::{Deserialize, Serialize};
use service::directory::{
    AccessKey, Account, Client, Document, PinReset, Reply, Role, Session, Space, TemporaryKey,
    User, Waba,
};
use service::ports::{Entity, EntityKind, EntityRef};

use super::{BadRow, Place, is_default, to_json};

/// A row of the directory, without its version.
pub(crate) struct EntityRow {
    pub(crate) key: EntityRef,
    pub(crate) parent: Option<EntityRef>,
    pub(crate) lookup: Option<String>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) body: String,
    pub(crate) content: Option<Vec<u8>>,
}

impl EntityRow {
    /// The row of `entity`.
    pub(crate) fn of(entity: Entity) -> Self {
        Self {
            key: entity.key(),
            parent: entity.parent(),
            lookup: entity.lookup().map(str::to_owned),
            expires_at: entity.expires_at().map(Timestamp::as_millis),
            body: body_of(&entity),
            content: match entity {
                Entity::Document(it) => Some(it.body),
                Entity::ClaimDocument(it) => Some(it.body),
                Entity::Account(_)
                | Entity::Space(_)
                | Entity::Waba(_)
                | Entity::Client(_)
                | Entity::User(_)
                | Entity::Session(_)
                | Entity::RamUser(_)
                | Entity::Group(_)
                | Entity::CustomPolicy(_)
                | Entity::Reply(_)
                | Entity::AccessKey(_)
                | Entity::Upstream(_)
                | Entity::UpstreamNumber(_)
                | Entity::GraphToken(_)
                | Entity::GraphSubscription(_)
                | Entity::Webhook(_)
                | Entity::PinReset(_)
                | Entity::Operator(_)
                | Entity::EndedLogin(_)
                | Entity::KeyMark(_) => None,
            },
        }
    }
}

#[derive(Serialize, Deserialize)]
struct AccountTwin<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "is_default")]
    subscribed: bool,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct SpaceTwin<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct WabaTwin<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow)]
    space: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    email: Option<Cow<'a, str>>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct PinResetTwin<'a> {
    #[serde(borrow)]
    number: Cow<'a, str>,
    #[serde(borrow)]
    waba: Cow<'a, str>,
    pin_set_at: i64,
    expires_at: i64,
}

#[derive(Serialize, Deserialize)]
struct ClientTwin<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow)]
    waba: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    host: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_default")]
    retired: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_key_sha256: Option<[u8; 32]>,
    shards: u8,
    #[serde(default, skip_serializing_if = "is_default")]
    restarting_until: i64,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct UserTwin<'a> {
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "is_default")]
    admin: bool,
    #[serde(borrow)]
    password: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "is_default")]
    must_change_password: bool,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct SessionTwin<'a> {
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(borrow)]
    user: Cow<'a, str>,
    expires_at: i64,
}

#[derive(Serialize, Deserialize)]
struct DocumentTwin<'a> {
    #[serde(borrow)]
    client: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    content_type: Cow<'a, str>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct ReplyTwin<'a> {
    #[serde(borrow)]
    sealed: Cow<'a, str>,
    expires_at: i64,
}

#[derive(Serialize, Deserialize)]
struct AccessKeyTwin<'a> {
    #[serde(borrow)]
    account: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'a, str>>,
    #[serde(borrow)]
    sealed: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "is_default")]
    active: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    temporary: Option<TemporaryTwin<'a>>,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct TemporaryTwin<'a> {
    token_sha256: [u8; 32],
    expires_at: i64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    policy: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_default")]
    mfa: bool,
}

fn body_of(entity: &Entity) -> String {
    match entity {
        Entity::Account(it) => to_json(&AccountTwin {
            name: (&it.name).into(),
            subscribed: it.subscribed,
            at: it.created_at.as_millis(),
        }),
        Entity::Space(it) => to_json(&SpaceTwin {
            account: it.account.as_str().into(),
            name: (&it.name).into(),
            at: it.created_at.as_millis(),
        }),
        Entity::Waba(it) => to_json(&WabaTwin {
            account: it.account.as_str().into(),
            space: it.space.as_str().into(),
            name: (&it.name).into(),
            email: it.contact_email.as_ref().map(Into::into),
            at: it.created_at.as_millis(),
        }),
        Entity::Client(it) => to_json(&ClientTwin {
            account: it.account.as_str().into(),
            waba: it.waba.as_str().into(),
            host: it.host.as_ref().map(Into::into),
            retired: it.retired,
            api_key_sha256: it.api_key_sha256,
            shards: it.shards,
            restarting_until: it.restarting_until.as_millis(),
            at: it.created_at.as_millis(),
        }),
        Entity::User(it) => to_json(&UserTwin {
            client: it.client.as_str().into(),
            name: (&it.name).into(),
            admin: it.role == Role::Admin,
            password: (&it.password).into(),
            must_change_password: it.must_change_password,
            at: it.created_at.as_millis(),
        }),
        Entity::Session(it) => to_json(&SessionTwin {
            client: it.client.as_str().into(),
            user: (&it.user).into(),
            expires_at: it.expires_at.as_millis(),
        }),
        Entity::Document(it) => to_json(&DocumentTwin {
            client: it.client.as_str().into(),
            name: (&it.name).into(),
            content_type: (&it.content_type).into(),
            at: it.updated_at.as_millis(),
        }),
        Entity::RamUser(it) => ram::user_body(it),
        Entity::Group(it) => ram::group_body(it),
        Entity::CustomPolicy(it) => ram::policy_body(it),
        Entity::Reply(it) => to_json(&ReplyTwin {
            sealed: (&it.sealed).into(),
            expires_at: it.expires_at.as_millis(),
        }),
        Entity::AccessKey(it) => to_json(&AccessKeyTwin::of(it)),
        Entity::Upstream(it) => upstream::upstream_body(it),
        Entity::UpstreamNumber(it) => upstream::number_body(it),
        Entity::GraphToken(it) => graph::token_body(it),
        Entity::GraphSubscription(it) => graph::subscription_body(it),
        Entity::Webhook(it) => webhook::webhook_body(it),
        Entity::ClaimDocument(it) => claim_document::body(it),
        Entity::PinReset(it) => to_json(&PinResetTwin::of(it)),
        Entity::Operator(it) => operator::operator_body(it),
        Entity::EndedLogin(it) => operator::ended_body(it),
        Entity::KeyMark(it) => key_mark::body(it),
    }
}

impl<'a> PinResetTwin<'a> {
    fn of(it: &'a PinReset) -> Self {
        Self {
            number: it.number.digits().into(),
            waba: it.waba.as_str().into(),
            pin_set_at: it.pin_set_at.as_millis(),
            expires_at: it.expires_at.as_millis(),
        }
    }
}

impl<'a> AccessKeyTwin<'a> {
    fn of(key: &'a AccessKey) -> Self {
        Self {
            account: key.account.as_str().into(),
            user: key.user.as_ref().map(Into::into),
            sealed: (&key.sealed_secret).into(),
            active: key.active,
            temporary: key.temporary.as_ref().map(|key| TemporaryTwin {
                token_sha256: key.security_token_sha256,
                expires_at: key.expires_at.as_millis(),
                policy: key.session_policy.as_ref().map(Into::into),
                mfa: key.mfa_present,
            }),
            at: key.created_at.as_millis(),
        }
    }
}

/// Reads the part of the directory named `key` from its row.
pub(crate) fn entity_from_row(
    key: &EntityRef,
    body: &str,
    content: Option<Vec<u8>>,
) -> Result<Entity, BadRow> {
    let name = format!("{} {}", key.kind.as_str(), key.id);
    let row = Reader { place: Place { table: "entities", id: &name }, id: &key.id, body };
    match key.kind {
        EntityKind::Account => row.account().map(Entity::Account),
        EntityKind::Space => row.space().map(Entity::Space),
        EntityKind::Waba => row.waba().map(Entity::Waba),
        EntityKind::Client => row.client().map(Entity::Client),
        EntityKind::User => row.user().map(Entity::User),
        EntityKind::Session => row.session().map(Entity::Session),
        EntityKind::Document => row.document(content.unwrap_or_default()).map(Entity::Document),
        EntityKind::RamUser => row.ram_user().map(Entity::RamUser),
        EntityKind::Group => row.group().map(Entity::Group),
        EntityKind::CustomPolicy => row.custom_policy().map(Entity::CustomPolicy),
        EntityKind::Reply => row.reply().map(Entity::Reply),
        EntityKind::AccessKey => row.access_key().map(Entity::AccessKey),
        EntityKind::Upstream => row.upstream().map(Box::new).map(Entity::Upstream),
        EntityKind::UpstreamNumber => {
            row.upstream_number().map(Box::new).map(Entity::UpstreamNumber)
        }
        EntityKind::GraphToken => row.graph_token().map(Entity::GraphToken),
        EntityKind::GraphSubscription => row.graph_subscription().map(Entity::GraphSubscription),
        EntityKind::Webhook => row.webhook().map(Entity::Webhook),
        EntityKind::ClaimDocument => {
            row.claim_document(content.unwrap_or_default()).map(Entity::ClaimDocument)
        }
        EntityKind::PinReset => row.pin_reset().map(Entity::PinReset),
        EntityKind::Operator => row.operator().map(Entity::Operator),
        EntityKind::EndedLogin => row.ended_login().map(Entity::EndedLogin),
        EntityKind::KeyMark => row.key_mark().map(Entity::KeyMark),
    }
}

struct Reader<'a> {
    place: Place<'a>,
    id: &'a str,
    body: &'a str,
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

impl<'a> Reader<'a> {
    fn twin<T: Deserialize<'a>>(&self) -> Result<T, BadRow> {
        self.place.json("body", self.body)
    }

    fn own_id<T: TextId>(&self) -> Result<T, BadRow> {
        self.place.ok("id", T::parse(self.id))
    }

    fn id_in_body<T: TextId>(&self, text: &str) -> Result<T, BadRow> {
        self.place.ok("body", T::parse(text))
    }

    fn account(&self) -> Result<Account, BadRow> {
        let twin: AccountTwin<'_> = self.twin()?;
        Ok(Account {
            id: self.own_id()?,
            name: twin.name.into_owned(),
            subscribed: twin.subscribed,
            created_at: at(twin.at),
        })
    }

    fn space(&self) -> Result<Space, BadRow> {
        let twin: SpaceTwin<'_> = self.twin()?;
        Ok(Space {
            id: self.own_id()?,
            account: self.id_in_body(&twin.account)?,
            name: twin.name.into_owned(),
            created_at: at(twin.at),
        })
    }

    fn waba(&self) -> Result<Waba, BadRow> {
        let twin: WabaTwin<'_> = self.twin()?;
        Ok(Waba {
            id: self.own_id()?,
            account: self.id_in_body(&twin.account)?,
            space: self.id_in_body(&twin.space)?,
            name: twin.name.into_owned(),
            contact_email: twin.email.map(Cow::into_owned),
            created_at: at(twin.at),
        })
    }

    fn client(&self) -> Result<Client, BadRow> {
        let twin: ClientTwin<'_> = self.twin()?;
        Ok(Client {
            id: self.own_id()?,
            account: self.id_in_body(&twin.account)?,
            waba: self.id_in_body(&twin.waba)?,
            host: twin.host.map(Cow::into_owned),
            retired: twin.retired,
            api_key_sha256: twin.api_key_sha256,
            shards: twin.shards,
            restarting_until: at(twin.restarting_until),
            created_at: at(twin.at),
        })
    }

    fn user(&self) -> Result<User, BadRow> {
        let twin: UserTwin<'_> = self.twin()?;
        Ok(User {
            client: self.id_in_body(&twin.client)?,
            name: twin.name.into_owned(),
            role: if twin.admin { Role::Admin } else { Role::User },
            password: twin.password.into_owned(),
            must_change_password: twin.must_change_password,
            created_at: at(twin.at),
        })
    }

    fn session(&self) -> Result<Session, BadRow> {
        let twin: SessionTwin<'_> = self.twin()?;
        Ok(Session {
            id: self.id.to_owned(),
            client: self.id_in_body(&twin.client)?,
            user: twin.user.into_owned(),
            expires_at: at(twin.expires_at),
        })
    }

    fn reply(&self) -> Result<Reply, BadRow> {
        let twin: ReplyTwin<'_> = self.twin()?;
        Ok(Reply {
            id: self.id.to_owned(),
            sealed: twin.sealed.into_owned(),
            expires_at: at(twin.expires_at),
        })
    }

    fn pin_reset(&self) -> Result<PinReset, BadRow> {
        let twin: PinResetTwin<'_> = self.twin()?;
        Ok(PinReset {
            id: self.id.to_owned(),
            number: self.place.ok("body", PhoneNumber::parse(&twin.number).ok())?,
            waba: self.id_in_body(&twin.waba)?,
            pin_set_at: at(twin.pin_set_at),
            expires_at: at(twin.expires_at),
        })
    }

    fn access_key(&self) -> Result<AccessKey, BadRow> {
        let twin: AccessKeyTwin<'_> = self.twin()?;
        Ok(AccessKey {
            id: self.id.to_owned(),
            account: self.id_in_body(&twin.account)?,
            user: twin.user.map(Cow::into_owned),
            sealed_secret: twin.sealed.into_owned(),
            active: twin.active,
            temporary: twin.temporary.map(|key| TemporaryKey {
                security_token_sha256: key.token_sha256,
                expires_at: at(key.expires_at),
                session_policy: key.policy.map(Cow::into_owned),
                mfa_present: key.mfa,
            }),
            created_at: at(twin.at),
        })
    }

    fn document(&self, body: Vec<u8>) -> Result<Document, BadRow> {
        let twin: DocumentTwin<'_> = self.twin()?;
        Ok(Document {
            client: self.id_in_body(&twin.client)?,
            name: twin.name.into_owned(),
            content_type: twin.content_type.into_owned(),
            body,
            updated_at: at(twin.at),
        })
    }
}
