//! Handing a mail to somebody who brings it to its address.

use core::fmt;

use async_trait::async_trait;
use registration::{Locale, PhoneNumber};

/// A mail. Its text holds a secret link: redacted in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Mail address.
    pub to: String,
    /// Subject line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The number that it is about.
    pub number: PhoneNumber,
    /// Its language.
    pub locale: Locale,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("number", &self.number).finish_non_exhaustive()
    }
}

/// A mail server did not take a mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mail was not taken: {reason}")]
pub struct MailError {
    /// What happened, without text and address.
    pub reason: String,
}

/// Brings mails to their addresses.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Hands `mail` over; returns once the server has taken it.
    async fn send(&self, mail: &Mail) -> Result<(), MailError>;
}
