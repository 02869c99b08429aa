//! What must hold between settings.

use std::borrow::Cow;

use super::sections::{Config, Mode};
use super::values::is_loopback;

/// Each broken rule as the key to blame and the words for it.
pub(super) fn broken(config: &Config) -> Vec<(Cow<'static, str>, String)> {
    let mut fixed = Vec::new();
    exposed_sandbox(config, &mut fixed);
    pairs(config, &mut fixed);
    let mut broken: Vec<_> = fixed.into_iter().map(|(key, it)| (key.into(), it)).collect();
    reaching_out(config, &mut broken);
    broken
}

/// A sandbox sends nothing to anybody: its senders may only reach this machine.
fn reaching_out(config: &Config, broken: &mut Vec<(Cow<'static, str>, String)>) {
    if config.mode == Mode::Production {
        return;
    }
    for sender in &config.named.senders {
        for host in sender.kind.hosts().iter().filter(|host| !is_loopback(host)) {
            let key = format!("senders.{}", sender.name);
            let message = format!(
                "a sandbox sends nothing to anybody, and {host} is not this machine; use a \
                 loopback address, or mode = \"production\""
            );
            broken.push((key.into(), message));
        }
    }
}

fn pairs(config: &Config, broken: &mut Vec<(&'static str, String)>) {
    if config.mode == Mode::Production && config.onprem.retired {
        let message = "only a sandbox can play the retired service";
        broken.push(("onprem.retired", message.to_owned()));
    }
    if config.data.dir.as_os_str().is_empty() {
        broken.push(("data.dir", "names no folder".to_owned()));
    }
    let mail = &config.mail;
    if mail.server.is_some() && config.public_url.is_none() {
        broken.push(("mail.server", "needs public_url, where the links lead".to_owned()));
    }
    if config.mode == Mode::Sandbox && mail.server.as_ref().is_some_and(|it| !it.is_loopback()) {
        let message = "a sandbox sends nothing to anybody: only a mail server on this machine";
        broken.push(("mail.server", message.to_owned()));
    }
    if mail.username.is_some() != mail.password_file.is_some() {
        broken.push((
            "mail.username",
            "needs mail.password_file, and the other way round".to_owned(),
        ));
    }
    match (&config.tls.certificate_file, &config.tls.key_file) {
        (Some(_), None) => {
            broken.push(("tls.certificate_file", "needs tls.key_file too".to_owned()));
        }
        (None, Some(_)) => {
            broken.push(("tls.key_file", "needs tls.certificate_file too".to_owned()));
        }
        (None, None) | (Some(_), Some(_)) => {}
    }
}

fn exposed_sandbox(config: &Config, broken: &mut Vec<(&'static str, String)>) {
    if config.mode == Mode::Production || config.listen.remote_sandbox {
        return;
    }
    let listen = &config.listen;
    let addresses = [("listen.http", Some(&listen.http)), ("listen.https", listen.https.as_ref())];
    for (key, address) in addresses {
        if let Some(address) = address.filter(|address| !address.is_loopback()) {
            broken.push((
                key,
                format!(
                    "a sandbox shows every code to whoever reaches {address}; listen on \
                     127.0.0.1, or set listen.remote_sandbox = true or mode = \"production\""
                ),
            ));
        }
    }
}
