//! A seed: an installation written down, to start from or to go back to. Sandbox only.
//!
//! Here is what a seed says and how it is applied; reading the file is the edge's work. **What a seed
//! names is afterwards as the seed says; everything else stays as it was.** A seed is applied as a whole
//! or not at all, in one unit of work.

mod access_keys;
mod apply;
mod directory;
mod graph_tokens;
mod numbers;
mod ram;

use core::fmt;

use registration::{
    AccountId, ClientId, CodeMethod, CustomerSpaceId, PhoneNumberId, Platform, Timestamp,
    TwoStepPin, VerifiedName, WabaId,
};
use zeroize::Zeroizing;

use crate::directory::GraphScopes;
use crate::numbering::Planned;
use crate::ports::Link;

pub use apply::{FIRST_PASSWORD, PreparedSeed, SeedTally, Seeded};

/// Everything that a seed says.
#[derive(Debug, Clone, Default)]
pub struct Seed {
    /// Accounts and all that is theirs.
    pub accounts: Vec<SeedAccount>,
}

/// An account, its customers, clients and credentials.
#[derive(Debug, Clone)]
pub struct SeedAccount {
    /// Identifier.
    pub id: AccountId,
    /// Name for people.
    pub name: String,
    /// Whether the Chat App product is subscribed.
    pub subscribed: bool,
    /// Its customers.
    pub spaces: Vec<SeedSpace>,
    /// Its On-Premises deployments.
    pub clients: Vec<SeedClient>,
    /// What callers of the hosted dialects show. Keys and tokens are applied; the rest is kept here.
    pub credentials: SeedCredentials,
}

/// A customer of an account.
#[derive(Debug, Clone)]
pub struct SeedSpace {
    /// Identifier.
    pub id: CustomerSpaceId,
    /// Name for people.
    pub name: String,
    /// Its WABAs.
    pub wabas: Vec<SeedWaba>,
}

/// A WABA and the numbers it claims.
#[derive(Debug, Clone)]
pub struct SeedWaba {
    /// Identifier.
    pub id: WabaId,
    /// Name for people.
    pub name: String,
    /// Where its owner is reached by mail.
    pub contact_email: Option<String>,
    /// The registrar upstream that is its authority. `None` leaves what is there.
    pub upstream: Option<Link>,
    /// Its claims.
    pub numbers: Vec<SeedNumber>,
}

/// An On-Premises deployment.
#[derive(Debug, Clone)]
pub struct SeedClient {
    /// Identifier and name.
    pub id: ClientId,
    /// The WABA it registers for. `None`: the one it has, else the first of its account in the seed.
    pub waba: Option<WabaId>,
    /// Host name by which it is reached, in lower case.
    pub host: Option<String>,
    /// Whether registration answers as Meta's does today.
    pub retired: bool,
    /// Shard count.
    pub shards: u8,
    /// API key for the read endpoints.
    pub api_key: Option<SecretText>,
    /// Password of its admin, ready for use. `None`: a new client's is `secret`, to be changed at the
    /// first login; an existing one keeps what it has.
    pub admin_password: Option<SecretText>,
}

/// A claim on a number, and what is known about the number itself.
#[derive(Debug, Clone)]
pub struct SeedNumber {
    /// The number and what the plan says about it.
    pub planned: Planned,
    /// Identifier of the claim; made up if absent.
    pub id: Option<PhoneNumberId>,
    /// Display name.
    pub name: VerifiedName,
    /// Serial of the certificate that carried the name.
    pub certificate_serial: Option<u64>,
    /// How far the claim has come.
    pub state: SeedState,
    /// What belongs to the number, whoever claims it; given in one of its entries at most.
    pub standing: Option<SeedStanding>,
}

/// How far a claim has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeedState {
    /// No proof.
    Unverified,
    /// A code is on its way: it comes to the inbox when the seed is applied.
    AwaitingCode {
        /// By which channel.
        method: CodeMethod,
        /// The On-Premises client that asked, if one did.
        client: Option<ClientId>,
    },
    /// The code was right a moment ago.
    Verified,
    /// Registered.
    Registered(Platform),
}

/// Budgets already spent, as of the moment the seed is applied; PIN and lock.
#[derive(Debug, Clone, Default)]
pub struct SeedStanding {
    /// Two-step verification is on, with this PIN.
    pub two_step_pin: Option<TwoStepPin>,
    /// Locked after too many wrong guesses in a row.
    pub locked: bool,
    /// SMS sent.
    pub sms_sent: u32,
    /// Voice calls placed.
    pub voice_calls: u32,
    /// Wrong guesses.
    pub failed_guesses: u32,
    /// Register calls.
    pub register_calls: u32,
    /// Deregister calls.
    pub deregister_calls: u32,
    /// Wrong PINs since the last right one.
    pub pin_failures: u32,
}

/// What callers of the hosted dialects show.
#[derive(Debug, Clone, Default)]
pub struct SeedCredentials {
    /// Keys of the account itself.
    pub access_keys: Vec<SeedAccessKey>,
    /// Keys that a token service would have given out.
    pub temporary_keys: Vec<SeedTemporaryKey>,
    /// Bearer tokens of the Graph dialect.
    pub graph_tokens: Vec<SeedGraphToken>,
    /// RAM users.
    pub users: Vec<SeedRamUser>,
    /// RAM policies.
    pub policies: Vec<SeedPolicy>,
}

/// A long-lived key.
#[derive(Debug, Clone)]
pub struct SeedAccessKey {
    /// Its public half.
    pub id: String,
    /// Its secret half.
    pub secret: SecretText,
}

/// A key that ends.
#[derive(Debug, Clone)]
pub struct SeedTemporaryKey {
    /// The key.
    pub key: SeedAccessKey,
    /// What must accompany it.
    pub security_token: SecretText,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A bearer token of the Graph dialect, with the text that it shall have.
#[derive(Debug, Clone)]
pub struct SeedGraphToken {
    /// The token.
    pub token: SecretText,
    /// Name for people.
    pub name: String,
    /// What its bearer may do.
    pub scopes: GraphScopes,
    /// The only WABAs that it reaches; empty means all of the account.
    pub wabas: Vec<WabaId>,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
}

/// A RAM user.
#[derive(Debug, Clone)]
pub struct SeedRamUser {
    /// Login name.
    pub name: String,
    /// Policies attached, by their names.
    pub policies: Vec<String>,
    /// Its keys.
    pub access_keys: Vec<SeedAccessKey>,
}

/// A RAM policy.
#[derive(Debug, Clone)]
pub struct SeedPolicy {
    /// By which users name it.
    pub name: String,
    /// The policy, as JSON text.
    pub document: String,
}

/// Text that is nobody's business. Redacted in `Debug`, wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Wraps the text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The text, for whoever compares or hashes it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(……)")
    }
}
