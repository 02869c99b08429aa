//! Who takes mails.

use std::sync::Arc;

use anyhow::Context as _;
use outbound::mail::{MailSecurity, SmtpMailer, SmtpOptions};
use service::Service;
use service::ports::Mailer;

use crate::config::sections::MailSecurity as Security;
use crate::config::{Config, Mode};

/// Gives the service its mail server, or the inbox of a sandbox.
pub(super) fn connect(config: &Config, service: &Service) -> anyhow::Result<()> {
    let public_url = config.public_url.as_deref().unwrap_or_default();
    match (mailer(config)?, config.mode) {
        (Some(mailer), _) => service.mail_by(Some(Arc::new(mailer) as Arc<dyn Mailer>), public_url),
        (None, Mode::Sandbox) => service.mail_by(None, public_url),
        (None, Mode::Production) => {}
    }
    Ok(())
}

fn mailer(config: &Config) -> anyhow::Result<Option<SmtpMailer>> {
    let mail = &config.mail;
    let Some(server) = &mail.server else { return Ok(None) };
    let read = |file: &std::path::Path, key: &str| {
        std::fs::read(file).with_context(|| format!("mail.{key}: cannot read {}", file.display()))
    };
    let password =
        mail.password_file.as_deref().map(|file| read(file, "password_file")).transpose()?;
    let password = password.map(|bytes| String::from_utf8_lossy(&bytes).trim_end().to_owned());
    let options = SmtpOptions {
        host: server.host.clone(),
        port: server.port,
        security: match mail.security {
            Security::StartTls => MailSecurity::StartTls,
            Security::Tls => MailSecurity::Tls,
            Security::None => MailSecurity::None,
        },
        credentials: mail.username.clone().zip(password),
        from: mail.from.clone(),
        ca_pem: mail.ca_file.as_deref().map(|file| read(file, "ca_file")).transpose()?,
    };
    Ok(Some(SmtpMailer::new(&options).context("mail")?))
}
