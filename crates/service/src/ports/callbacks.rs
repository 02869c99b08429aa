//! Reading what providers report over HTTP.

use super::delivery::Receipt;

/// A provider's report as it came in.
pub struct CallbackRequest<'a> {
    /// The secret that the address it came to ends with.
    pub secret: &'a str,
    /// The query of the address, undecoded; empty if there is none.
    pub query: &'a str,
    /// The value of a header field by its lower-case name.
    pub header: &'a (dyn Fn(&str) -> Option<&'a str> + Sync),
    /// The body.
    pub body: &'a [u8],
}

/// Why a report does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// No sender takes reports at this address.
    #[error("no sender takes reports at this address")]
    Unknown,
    /// The provider's signature is missing, wrong or old.
    #[error("the signature is missing, wrong or old")]
    Unsigned,
    /// It cannot be read.
    #[error("the report cannot be read")]
    Malformed,
}

/// Understands what the providers of the configured senders report.
pub trait Callbacks: Send + Sync + 'static {
    /// The receipts in a report to `sender`; none if it tells of no end.
    fn read(
        &self,
        sender: &str,
        request: &CallbackRequest<'_>,
    ) -> Result<Vec<Receipt>, CallbackError>;
}

/// No sender reports by HTTP.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCallbacks;

impl Callbacks for NoCallbacks {
    fn read(&self, _: &str, _: &CallbackRequest<'_>) -> Result<Vec<Receipt>, CallbackError> {
        Err(CallbackError::Unknown)
    }
}
