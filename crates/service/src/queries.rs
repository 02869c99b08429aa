//! The read side: what console, command line and sandbox show.

use registration::{NumberRecord, PhoneNumber, WabaId};

use crate::error::ServiceError;
use crate::ports::{
    AuditEntry, AuditQuery, ClaimQuery, CodeMessage, LiveProofs, NumberCounts, NumberKey,
    NumberQuery, Send, SendQuery,
};
use crate::service::Service;

/// Name under which the sandbox inbox signs for a message in the ledger.
pub const INBOX: &str = "inbox";

impl Service {
    /// The record of a number.
    pub async fn number(&self, number: PhoneNumber) -> Result<Option<NumberRecord>, ServiceError> {
        Ok(self.store.number(number).await?.map(|stored| stored.value))
    }

    /// Finds a number by what it is used for.
    pub async fn find_number(&self, key: &NumberKey) -> Result<Option<PhoneNumber>, ServiceError> {
        Ok(self.store.find_number(key).await?)
    }

    /// A page of numbers.
    pub async fn numbers(&self, query: &NumberQuery) -> Result<Vec<NumberRecord>, ServiceError> {
        Ok(self.store.numbers(query).await?)
    }

    /// A page of a WABA's numbers by a moment of its claims.
    pub async fn claimed(&self, query: &ClaimQuery) -> Result<Vec<NumberRecord>, ServiceError> {
        Ok(self.store.claimed(query).await?)
    }

    /// How many numbers a WABA claims.
    pub async fn claim_count(&self, waba: &WabaId) -> Result<u64, ServiceError> {
        Ok(self.store.claim_count(waba).await?)
    }

    /// How many numbers there are, by state.
    pub async fn number_counts(&self) -> Result<NumberCounts, ServiceError> {
        let (now, limits) = (self.now(), self.limits());
        let live = LiveProofs {
            codes_after: now - limits.code_lifetime,
            verified_after: now - limits.verified_idle,
        };
        Ok(self.store.number_counts(live).await?)
    }

    /// A page of the audit trail.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, ServiceError> {
        Ok(self.store.audit(query).await?)
    }

    /// A page of the ledger.
    pub async fn sends(&self, query: &SendQuery) -> Result<Vec<Send>, ServiceError> {
        Ok(self.store.sends(query).await?)
    }

    /// Messages that the sandbox inbox took, newest first, their codes derived again for the reader.
    /// Production wires no inbox sender, so there is nothing to read there.
    pub async fn inbox(
        &self,
        mut query: SendQuery,
    ) -> Result<Vec<(Send, CodeMessage)>, ServiceError> {
        query.sender = Some(INBOX.to_owned());
        let sends = self.store.sends(&query).await?;
        Ok(sends
            .into_iter()
            .filter_map(|send| self.inbox_message(&send).map(|message| (send, message)))
            .collect())
    }

    /// The message of a send that the sandbox inbox took; `None` for every other send.
    #[must_use]
    pub fn inbox_message(&self, send: &Send) -> Option<CodeMessage> {
        (send.sender.as_deref() == Some(INBOX)).then(|| self.message(send)).flatten()
    }
}
