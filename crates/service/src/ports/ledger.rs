//! The ledger of sends: what was decided, who has it, what it costs, how it ended.
//!
//! ```text
//! decided ──▶ claimed ──▶ handed over ──▶ delivered
//!    ▲           │             └────────▶ failed (the provider's word)
//!    └── later ──┴──▶ failed (nobody took it)
//! ```

use registration::{AccountId, ChallengeId, CodeSend, PhoneNumber, Timestamp};

use super::delivery::Attempt;
use super::store::SendId;

/// Where a send stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendState {
    /// To be handed over at `due_at` or after.
    Decided {
        /// Not before this.
        due_at: Timestamp,
    },
    /// A worker is at it; after `until` another one may take it.
    Claimed {
        /// End of the worker's lease.
        until: Timestamp,
        /// Its hand-over may have begun: should the worker die, nobody knows whether a provider took it.
        /// Where a repeated message would do harm, that is recorded only right before the hand-over.
        begun: bool,
    },
    /// A provider acknowledged it.
    HandedOver {
        /// When.
        at: Timestamp,
    },
    /// The provider reported that it arrived.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// It will not be tried again.
    Failed {
        /// When.
        at: Timestamp,
        /// Why, without the code.
        reason: String,
    },
}

/// A row of the send ledger. It carries no code: that is derived from the challenge when needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Identifier, also the idempotency key towards providers.
    pub id: SendId,
    /// Whom to reach.
    pub number: PhoneNumber,
    /// Who pays.
    pub account: AccountId,
    /// Dialect it was ordered in (`onprem`, `cams`, `graph`): decides how the text shows the code.
    pub dialect: String,
    /// What to send.
    pub what: CodeSend,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Where it stands.
    pub state: SendState,
    /// Hand-overs begun so far.
    pub attempt: u32,
    /// Which sender has or had it.
    pub sender: Option<String>,
    /// The provider's id for it.
    pub provider_id: Option<String>,
    /// When a provider acknowledged it, whatever came of it afterwards.
    pub handed_over_at: Option<Timestamp>,
    /// When its code was used.
    pub confirmed_at: Option<Timestamp>,
    /// A provider may have taken it without our knowing: an answer was lost, or a worker died over it.
    pub in_doubt: bool,
    /// What it costs, in millionths of the currency: the most that it can cost while it is under way.
    pub charged: u64,
    /// The budgets that paid, by their keys.
    pub budgets: Vec<String>,
    /// Every try of every sender, in the order they were recorded.
    pub tries: Vec<Attempt>,
}

impl Send {
    /// A send that was decided just now and is due at once.
    #[must_use]
    pub fn decided(
        id: SendId,
        number: PhoneNumber,
        account: AccountId,
        dialect: &str,
        what: CodeSend,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            number,
            account,
            dialect: dialect.to_owned(),
            what,
            decided_at: now,
            state: SendState::Decided { due_at: now },
            attempt: 0,
            sender: None,
            provider_id: None,
            handed_over_at: None,
            confirmed_at: None,
            in_doubt: false,
            charged: 0,
            budgets: Vec::new(),
            tries: Vec::new(),
        }
    }
}

/// A code that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmed {
    /// On which number.
    pub number: PhoneNumber,
    /// Which challenge it answered.
    pub challenge: ChallengeId,
    /// When.
    pub at: Timestamp,
}

/// What became of a claimed send, as its worker saw it.
///
/// Two workers may be at one send, if the lease of the first has passed; so reports may cross. An
/// acknowledgement is a fact and counts whatever another worker concluded: it overrides a `Failed` that
/// rests on no provider's acknowledgement (the code had expired, everybody had refused). Nothing a worker
/// concludes overrides an acknowledgement; only a receipt ([`Store::receive`](super::Store::receive))
/// goes on from there. Tries and doubts are recorded in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendReport {
    /// Which send.
    pub id: SendId,
    /// Where it stands now.
    pub state: SendState,
    /// Which sender had it.
    pub sender: Option<String>,
    /// The provider's id for it.
    pub provider_id: Option<String>,
    /// The tries made.
    pub tries: Vec<Attempt>,
    /// A provider may have taken it all the same.
    pub in_doubt: bool,
    /// What it costs in the end, and the budgets that get the difference; none if that did not change.
    pub settled: Option<Settlement>,
}

/// What a send costs in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// In millionths of the currency.
    pub charged: u64,
    /// The budgets that paid and get the difference, by their keys.
    pub budgets: Vec<String>,
}

impl SendReport {
    /// That the send stands there now, and nothing else.
    #[must_use]
    pub const fn new(id: SendId, state: SendState) -> Self {
        Self {
            id,
            state,
            sender: None,
            provider_id: None,
            tries: Vec::new(),
            in_doubt: false,
            settled: None,
        }
    }

    /// Whether this report moves a send that stands at `state`, once acknowledged or not.
    #[must_use]
    pub const fn moves(&self, state: &SendState, acknowledged: bool) -> bool {
        match state {
            SendState::Decided { .. } | SendState::Claimed { .. } => true,
            SendState::Failed { .. } => {
                !acknowledged && matches!(self.state, SendState::HandedOver { .. })
            }
            SendState::HandedOver { .. } | SendState::Delivered { .. } => false,
        }
    }
}

/// A page of the ledger, newest first.
#[derive(Debug, Clone, Default)]
pub struct SendQuery {
    /// Only sends to this number.
    pub number: Option<PhoneNumber>,
    /// Only sends of this account.
    pub account: Option<AccountId>,
    /// Only sends that this sender took.
    pub sender: Option<String>,
    /// Only the send with this id.
    pub id: Option<SendId>,
    /// Only sends newer than this one.
    pub after: Option<SendId>,
    /// Only sends older than this one.
    pub before: Option<SendId>,
    /// At most so many.
    pub limit: usize,
}
