//! Mails through an SMTP server, behind [`service::ports::Mailer`].

mod smtp;

pub use smtp::{MailSecurity, SmtpMailer, SmtpOptions, SmtpSetupError};
