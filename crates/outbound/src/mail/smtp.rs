//! SMTP (RFC 5321), as a client that submits.

use core::fmt;
use core::time::Duration;

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use service::ports::{Mail, MailError, Mailer};

/// How long one mail may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailSecurity {
    /// Begins in the clear and must switch to TLS (port 587).
    #[default]
    StartTls,
    /// TLS from the start (port 465).
    Tls,
    /// In the clear; for a server on this machine.
    None,
}

/// What an [`SmtpMailer`] needs to know.
#[derive(Clone)]
pub struct SmtpOptions {
    /// Host name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: MailSecurity,
    /// Name and password, where the server asks for them.
    pub credentials: Option<(String, String)>,
    /// Who the mails come from.
    pub from: String,
    /// Certificates (PEM) to trust besides the system's.
    pub ca_pem: Option<Vec<u8>>,
}

impl fmt::Debug for SmtpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpOptions").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Why mails cannot be sent with these options.
#[derive(Debug, thiserror::Error)]
pub enum SmtpSetupError {
    /// The sender's address.
    #[error("`{0}` is no mail address")]
    From(String),
    /// TLS or its certificates.
    #[error("TLS cannot be set up")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// Submits mails to one server.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMailer {
    /// A mailer. Connects with the first mail.
    pub fn new(options: &SmtpOptions) -> Result<Self, SmtpSetupError> {
        let from = options.from.parse();
        let from = from.map_err(|_| SmtpSetupError::From(options.from.clone()))?;
        let tls = || {
            let mut builder = TlsParameters::builder(options.host.clone());
            if let Some(pem) = &options.ca_pem {
                let added = Certificate::from_pem(pem).map_err(SmtpSetupError::Tls)?;
                builder = builder.add_root_certificate(added);
            }
            builder.build_rustls().map_err(SmtpSetupError::Tls)
        };
        let tls = match options.security {
            MailSecurity::StartTls => Tls::Required(tls()?),
            MailSecurity::Tls => Tls::Wrapper(tls()?),
            MailSecurity::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&options.host)
            .port(options.port)
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let Some((name, password)) = &options.credentials {
            builder = builder.credentials(Credentials::new(name.clone(), password.clone()));
        }
        Ok(Self { transport: builder.build(), from })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        // The library's words may hold the address.
        let refused = |reason: &str| MailError { reason: reason.to_owned() };
        let to: Mailbox = mail.to.parse().map_err(|_| refused("not a mail address"))?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.clone())
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(|_| refused("it cannot be written as a mail"))?;
        let sent = tokio::time::timeout(TIMEOUT, self.transport.send(message)).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            Err(_) => Err(refused("the mail server is too slow")),
            Ok(Err(error)) if error.is_permanent() => {
                let code = error.status().map(|code| code.to_string()).unwrap_or_default();
                Err(refused(&format!("the mail server refused it: {code}")))
            }
            Ok(Err(error)) => Err(refused(&trouble(&error))),
        }
    }
}

/// What went wrong on the way, so that whoever set it up knows where to look.
fn trouble(error: &lettre::transport::smtp::Error) -> String {
    if let Some(tls) = tls_error(error) {
        return format!("TLS with the mail server failed: {tls}");
    }
    let words = if error.is_tls() {
        "TLS with the mail server failed"
    } else if error.is_client() {
        "the mail server offers no STARTTLS, or no way to log in"
    } else {
        "the mail server cannot be reached"
    };
    words.to_owned()
}

/// What TLS itself says, which tells of certificates and names and of no mail.
fn tls_error(error: &lettre::transport::smtp::Error) -> Option<&rustls::Error> {
    let mut cause = core::error::Error::source(error);
    while let Some(it) = cause {
        let io = it.downcast_ref::<std::io::Error>();
        let within = io.and_then(std::io::Error::get_ref).and_then(|it| it.downcast_ref());
        if let Some(found) = it.downcast_ref().or(within) {
            return Some(found);
        }
        cause = it.source();
    }
    None
}
