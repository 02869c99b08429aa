//! Callbacks: what is told to endpoints that asked for it. Rows of an outbox, and the client that posts
//! them.

use core::time::Duration;

use async_trait::async_trait;
use registration::{AccountId, Timestamp};

pub use super::store::CallbackId;

/// For so long a callback that is done is kept, for operators who look into it.
pub const CALLBACKS_KEPT: Duration = Duration::from_hours(7 * 24);

/// Where a callback stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackState {
    /// To be posted at `at` or after.
    Due {
        /// Not before this.
        at: Timestamp,
    },
    /// A worker is at it; after `until` another one may take it.
    Claimed {
        /// End of the worker's lease.
        until: Timestamp,
    },
    /// The endpoint took it (a 2xx answer).
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It will not be tried again; [`Callback::note`] says why.
    Failed {
        /// When.
        at: Timestamp,
    },
}

/// A row of the outbox of callbacks, entered in the unit that decided what it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Identifier. The endpoint sees it too and knows by it what it was told before.
    pub id: CallbackId,
    /// Id of the [`Webhook`](crate::directory::Webhook) it is for; where that points when it is posted
    /// counts.
    pub webhook: String,
    /// Whose it is.
    pub account: AccountId,
    /// What happened, one word (`registered`, `name_changed`, …).
    pub kind: String,
    /// What is posted, JSON; never a code, PIN or key.
    pub body: String,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Where it stands.
    pub state: CallbackState,
    /// Posts begun so far.
    pub attempt: u32,
    /// What the latest post came to, for the operator.
    pub note: Option<String>,
}

/// What became of a claimed callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackReport {
    /// Which callback.
    pub id: CallbackId,
    /// Where it stands now.
    pub state: CallbackState,
    /// What the post came to.
    pub note: Option<String>,
}

/// A page of callbacks, newest first.
#[derive(Debug, Clone, Default)]
pub struct CallbackQuery {
    /// Only callbacks of this account.
    pub account: Option<AccountId>,
    /// Only callbacks for this webhook.
    pub webhook: Option<String>,
    /// Only callbacks older than this one.
    pub before: Option<CallbackId>,
    /// At most so many.
    pub limit: usize,
}

/// Which addresses a callback may go to, each after the name is resolved.
///
/// Link-local addresses, where clouds keep credentials, are never allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Addresses of the public internet.
    pub public: bool,
    /// This machine.
    pub loopback: bool,
    /// Private networks.
    pub private: bool,
}

impl Reach {
    /// The public internet alone.
    pub const PUBLIC: Self = Self { public: true, loopback: false, private: false };
    /// This machine alone.
    pub const MACHINE: Self = Self { public: false, loopback: true, private: false };
    /// Wherever anybody may listen.
    pub const ANYWHERE: Self = Self { public: true, loopback: true, private: true };
}

/// One post, ready to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackPost {
    /// Where to.
    pub url: String,
    /// Header fields besides `Content-Type` and what the client adds itself.
    pub headers: Vec<(&'static str, String)>,
    /// The body, JSON.
    pub body: String,
    /// Which addresses are allowed.
    pub reach: Reach,
}

/// Why a post brought no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// The name resolved to no address that is allowed. Worth another try: names change.
    #[error("refused: {0}")]
    Refused(String),
    /// No connection, no answer in time, or an answer that is none.
    #[error("{0}")]
    Failed(String),
}

/// Posts callbacks.
#[async_trait]
pub trait CallbackClient: Send + Sync + 'static {
    /// Posts once and returns the status of the answer. Follows no redirect, checks the resolved address
    /// each time, and gives up in less than a minute.
    async fn post(&self, post: &CallbackPost) -> Result<u16, CallbackError>;

    /// Asks an endpoint for a word, under the same precautions: the text of an answer with status 200, as far
    /// as it is short.
    async fn ask(&self, url: &str, reach: Reach) -> Result<String, CallbackError>;
}
