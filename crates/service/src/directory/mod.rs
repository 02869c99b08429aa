//! Who owns what: accounts, their access keys, spaces, WABAs, clients, their users, sessions and documents.
//!
//! ```text
//! Account ─┬─ AccessKey                 (of the account itself)
//!          ├─ GraphToken
//!          ├─ Space ── Waba ─┬─ ClaimDocument      (a Waba claims numbers: registration::Claim)
//!          │                 ├─ GraphSubscription
//!          │                 └─ Upstream ── UpstreamNumber
//!          ├─ Client ─┬─ User ── Session
//!          │          └─ Document      (settings, profile, photo, certificates)
//!          ├─ RamUser ── AccessKey     (names its groups and policies)
//!          ├─ Group                    (names its policies)
//!          └─ CustomPolicy
//! Webhook                              (below the account, space or WABA that it is told about)
//! PinReset                             (below the WABA whose number it is for)
//! Operator                             (who logs in to the console; nobody's)
//! EndedLogin                           (a login to the console that somebody ended; nobody's)
//! KeyMark                              (what the store knows a master key by; nobody's)
//! Reply                                (what was answered under an idempotency key; nobody's)
//! ```

mod access_key;
mod claim_document;
mod graph;
mod into_parts;
mod key_mark;
mod operator;
mod pin_reset;
mod ram;
mod reference;
mod upstream;
mod webhook;

use core::time::Duration;

use registration::{AccountId, ClientId, CustomerSpaceId, Timestamp, WabaId};

pub use access_key::{AccessKey, TemporaryKey};
pub use claim_document::ClaimDocument;
pub use graph::{GraphScopes, GraphSubscription, GraphToken};
pub use key_mark::KeyMark;
pub use operator::{EndedLogin, Operator, OperatorRole};
pub use pin_reset::PinReset;
pub use ram::{CustomPolicy, Group, RamUser};
pub use reference::EntityRef;
pub use upstream::{Call, Seen, UnderWay, Upstream, UpstreamNumber};
pub use webhook::{Webhook, WebhookScope};

/// Who pays, is rate-limited, and owns spaces and clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Identifier.
    pub id: AccountId,
    /// Name for people.
    pub name: String,
    /// Whether the Chat App product is subscribed (CAMS `Product.Unsubscript` otherwise).
    pub subscribed: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One customer of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// Identifier (CAMS `CustSpaceId`).
    pub id: CustomerSpaceId,
    /// Whose customer.
    pub account: AccountId,
    /// Name for people.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A WhatsApp Business Account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waba {
    /// Identifier.
    pub id: WabaId,
    /// Whose account it is in.
    pub account: AccountId,
    /// Which customer it belongs to.
    pub space: CustomerSpaceId,
    /// Name for people.
    pub name: String,
    /// Where its owner is reached by mail: links to reset a PIN go there.
    pub contact_email: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One On-Premises deployment. Its name is its id: it stands in the path `/clients/{name}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Identifier and name.
    pub id: ClientId,
    /// Whose client.
    pub account: AccountId,
    /// The WABA that its registrations are for, unless a certificate names another of the account.
    pub waba: WabaId,
    /// Host name by which it is reached, in lower case without port.
    pub host: Option<String>,
    /// Registration answers as Meta's does today: 1005 `biz_link_on_prem_reg_blocked`.
    pub retired: bool,
    /// SHA-256 of the API key for the read endpoints, if one is set.
    pub api_key_sha256: Option<[u8; 32]>,
    /// Shard count: 1, 2, 4, 8, 16 or 32.
    pub shards: u8,
    /// Coreapp restarts until then for a reason other than a registration (restore, shard change).
    pub restarting_until: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Role of a user of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// May register, change settings and manage users. Only the user named `admin`.
    Admin,
    /// May read health and metrics, and change its own password.
    User,
}

/// A user of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Whose user.
    pub client: ClientId,
    /// Login name: 4 to 32 characters, none of them `:`, `/` or a control character.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Hash of the password in PHC text form.
    pub password: String,
    /// The next login must bring a new password.
    pub must_change_password: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A login that is still valid: the token names it, its absence revokes the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token's random part, as 64 hexadecimal digits.
    pub id: String,
    /// Whose client.
    pub client: ClientId,
    /// Which user.
    pub user: String,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// A named piece of a client's settings. Its inside belongs to the dialect that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Whose.
    pub client: ClientId,
    /// Which: `application`, `business_profile`, `photo`, …
    pub name: String,
    /// Media type of `body`.
    pub content_type: String,
    /// The content.
    pub body: Vec<u8>,
    /// When it was written.
    pub updated_at: Timestamp,
}

/// What was answered to a request with an idempotency key, kept so that its repetition gets the same
/// answer and no second effect; see [`crate::idempotency`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// SHA-256 of the idempotency key, as 64 hexadecimal digits.
    pub id: String,
    /// Digest of the request and the answer to it, sealed: either may hold a secret.
    pub sealed: String,
    /// When it is forgotten.
    pub expires_at: Timestamp,
}

/// For so long an expired key is kept, so that its user is told that it expired, not that there is no
/// such key.
const EXPIRED_KEYS_KEPT: Duration = Duration::from_hours(24);

/// Any part of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is documented at its type")]
pub enum Entity {
    Account(Account),
    Space(Space),
    Waba(Waba),
    Client(Client),
    User(User),
    Session(Session),
    Document(Document),
    RamUser(RamUser),
    Group(Group),
    CustomPolicy(CustomPolicy),
    Reply(Reply),
    AccessKey(AccessKey),
    Upstream(Box<Upstream>),
    UpstreamNumber(Box<UpstreamNumber>),
    GraphToken(GraphToken),
    GraphSubscription(GraphSubscription),
    Webhook(Webhook),
    ClaimDocument(ClaimDocument),
    PinReset(PinReset),
    Operator(Operator),
    EndedLogin(EndedLogin),
    KeyMark(KeyMark),
}

/// The kinds of [`Entity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each variant is documented at its type")]
pub enum EntityKind {
    Account,
    Space,
    Waba,
    Client,
    User,
    Session,
    Document,
    RamUser,
    Group,
    CustomPolicy,
    Reply,
    AccessKey,
    Upstream,
    UpstreamNumber,
    GraphToken,
    GraphSubscription,
    Webhook,
    ClaimDocument,
    PinReset,
    Operator,
    EndedLogin,
    KeyMark,
}

impl EntityKind {
    /// All kinds, parents before children.
    pub const ALL: [Self; 22] = [
        Self::Account,
        Self::Space,
        Self::Waba,
        Self::Client,
        Self::User,
        Self::Session,
        Self::Document,
        Self::RamUser,
        Self::Group,
        Self::CustomPolicy,
        Self::Reply,
        Self::AccessKey,
        Self::Upstream,
        Self::UpstreamNumber,
        Self::GraphToken,
        Self::GraphSubscription,
        Self::Webhook,
        Self::ClaimDocument,
        Self::PinReset,
        Self::Operator,
        Self::EndedLogin,
        Self::KeyMark,
    ];

    /// The word in the store and in events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Space => "space",
            Self::Waba => "waba",
            Self::Client => "client",
            Self::User => "user",
            Self::Session => "session",
            Self::Document => "document",
            Self::RamUser => "ram_user",
            Self::Group => "group",
            Self::CustomPolicy => "policy",
            Self::Reply => "reply",
            Self::AccessKey => "access_key",
            Self::Upstream => "upstream",
            Self::UpstreamNumber => "upstream_number",
            Self::GraphToken => "graph_token",
            Self::GraphSubscription => "graph_subscription",
            Self::Webhook => "webhook",
            Self::ClaimDocument => "claim_document",
            Self::PinReset => "pin_reset",
            Self::Operator => "operator",
            Self::EndedLogin => "ended_login",
            Self::KeyMark => "key_mark",
        }
    }

    /// The kind that `word` stands for.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Entity {
    /// Its name.
    #[must_use]
    pub fn key(&self) -> EntityRef {
        match self {
            Self::Account(it) => EntityRef::account(&it.id),
            Self::Space(it) => EntityRef::space(&it.id),
            Self::Waba(it) => EntityRef::waba(&it.id),
            Self::Client(it) => EntityRef::client(&it.id),
            Self::User(it) => EntityRef::user(&it.client, &it.name),
            Self::Session(it) => EntityRef::new(EntityKind::Session, &it.id),
            Self::Document(it) => EntityRef::document(&it.client, &it.name),
            Self::RamUser(it) => EntityRef::ram_user(&it.account, &it.name),
            Self::Group(it) => EntityRef::group(&it.account, &it.name),
            Self::CustomPolicy(it) => EntityRef::custom_policy(&it.account, &it.name),
            Self::Reply(it) => EntityRef::new(EntityKind::Reply, &it.id),
            Self::AccessKey(it) => EntityRef::access_key(&it.id),
            Self::Upstream(it) => EntityRef::upstream(&it.waba),
            Self::UpstreamNumber(it) => EntityRef::upstream_number(&it.waba, it.number),
            Self::GraphToken(it) => EntityRef::graph_token(&it.id),
            Self::GraphSubscription(it) => EntityRef::graph_subscription(&it.waba),
            Self::Webhook(it) => EntityRef::webhook(&it.dialect, &it.scope),
            Self::ClaimDocument(it) => EntityRef::claim_document(&it.claim, &it.name),
            Self::PinReset(it) => EntityRef::new(EntityKind::PinReset, &it.id),
            Self::Operator(it) => EntityRef::operator(&it.name),
            Self::EndedLogin(it) => EntityRef::ended_login(&it.id),
            Self::KeyMark(it) => EntityRef::key_mark(it.epoch),
        }
    }

    /// What it is removed together with.
    #[must_use]
    pub fn parent(&self) -> Option<EntityRef> {
        match self {
            Self::Account(_)
            | Self::Reply(_)
            | Self::Operator(_)
            | Self::EndedLogin(_)
            | Self::KeyMark(_) => None,
            Self::Space(it) => Some(EntityRef::account(&it.account)),
            Self::Waba(it) => Some(EntityRef::space(&it.space)),
            Self::Client(it) => Some(EntityRef::account(&it.account)),
            Self::User(it) => Some(EntityRef::client(&it.client)),
            Self::Session(it) => Some(EntityRef::user(&it.client, &it.user)),
            Self::Document(it) => Some(EntityRef::client(&it.client)),
            Self::AccessKey(it) => Some(it.parent()),
            Self::ClaimDocument(it) => Some(EntityRef::waba(&it.waba)),
            Self::RamUser(it) => Some(EntityRef::account(&it.account)),
            Self::Group(it) => Some(EntityRef::account(&it.account)),
            Self::CustomPolicy(it) => Some(EntityRef::account(&it.account)),
            Self::Upstream(it) => Some(EntityRef::waba(&it.waba)),
            Self::UpstreamNumber(it) => Some(EntityRef::upstream(&it.waba)),
            Self::GraphToken(it) => Some(EntityRef::account(&it.account)),
            Self::GraphSubscription(it) => Some(EntityRef::waba(&it.waba)),
            Self::Webhook(it) => Some(it.scope.parent()),
            Self::PinReset(it) => Some(EntityRef::waba(&it.waba)),
        }
    }

    /// A second name by which it is found, unique within its kind.
    #[must_use]
    pub fn lookup(&self) -> Option<&str> {
        match self {
            Self::Client(it) => it.host.as_deref(),
            Self::GraphToken(it) => Some(&it.sha256),
            Self::Account(_)
            | Self::Space(_)
            | Self::Waba(_)
            | Self::User(_)
            | Self::Session(_)
            | Self::Document(_)
            | Self::RamUser(_)
            | Self::Group(_)
            | Self::CustomPolicy(_)
            | Self::Reply(_)
            | Self::AccessKey(_)
            | Self::Upstream(_)
            | Self::UpstreamNumber(_)
            | Self::GraphSubscription(_)
            | Self::Webhook(_)
            | Self::ClaimDocument(_)
            | Self::PinReset(_)
            | Self::Operator(_)
            | Self::EndedLogin(_)
            | Self::KeyMark(_) => None,
        }
    }

    /// When it may be swept away.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Session(it) => Some(it.expires_at),
            Self::Reply(it) => Some(it.expires_at),
            Self::PinReset(it) => Some(it.expires_at),
            Self::EndedLogin(it) => Some(it.expires_at),
            Self::AccessKey(it) => {
                it.temporary.as_ref().map(|key| key.expires_at + EXPIRED_KEYS_KEPT)
            }
            Self::GraphToken(it) => it.expires_at.map(|at| at + EXPIRED_KEYS_KEPT),
            Self::Account(_)
            | Self::Space(_)
            | Self::Waba(_)
            | Self::Client(_)
            | Self::User(_)
            | Self::Document(_)
            | Self::RamUser(_)
            | Self::Group(_)
            | Self::CustomPolicy(_)
            | Self::Upstream(_)
            | Self::UpstreamNumber(_)
            | Self::GraphSubscription(_)
            | Self::Webhook(_)
            | Self::ClaimDocument(_)
            | Self::Operator(_)
            | Self::KeyMark(_) => None,
        }
    }
}
