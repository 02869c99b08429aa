//! Who takes the mails of an installation: a mail server, or the sandbox's inbox, or nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use registration::{PhoneNumber, Timestamp};
use tokio::sync::broadcast;

use crate::pin_reset::PATH;
use crate::ports::{Mail, MailError, Mailer, SendId};
use crate::service::Service;

/// Mails that the sandbox's inbox keeps.
const KEPT_MAX: usize = 1000;

/// A mail in the sandbox's inbox. Kept in memory alone: its link stands nowhere else.
#[derive(Debug, Clone)]
pub struct InboxMail {
    /// In line with the ids of codes: what came later has a larger one.
    pub id: SendId,
    /// The mail.
    pub mail: Mail,
    /// When it came.
    pub at: Timestamp,
}

/// See the module.
pub(crate) struct Mails {
    way: OnceLock<Way>,
    inbox: Mutex<VecDeque<InboxMail>>,
    news: broadcast::Sender<InboxMail>,
}

struct Way {
    /// None is the inbox.
    mailer: Option<Arc<dyn Mailer>>,
    /// Where this server is reached, for links.
    public_url: String,
}

impl Default for Mails {
    fn default() -> Self {
        let news = broadcast::Sender::new(KEPT_MAX);
        Self { way: OnceLock::new(), inbox: Mutex::default(), news }
    }
}

impl Mails {
    pub(crate) fn link(&self, token: &str) -> String {
        let base = self.way.get().map_or("", |way| way.public_url.as_str());
        format!("{base}{PATH}{token}")
    }

    pub(crate) async fn send(
        &self,
        mail: &Mail,
        id: SendId,
        at: Timestamp,
    ) -> Result<(), MailError> {
        match self.way.get() {
            None => Err(MailError { reason: "no mail server is configured".to_owned() }),
            Some(Way { mailer: Some(mailer), .. }) => mailer.send(mail).await,
            Some(Way { mailer: None, .. }) => {
                let mail = InboxMail { id, mail: mail.clone(), at };
                let mut inbox = self.inbox();
                inbox.push_back(mail.clone());
                if inbox.len() > KEPT_MAX {
                    inbox.pop_front();
                }
                // An error means that nobody listens.
                let _ = self.news.send(mail);
                Ok(())
            }
        }
    }

    pub(crate) fn clear(&self) {
        self.inbox().clear();
    }

    fn inbox(&self) -> MutexGuard<'_, VecDeque<InboxMail>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    /// Mails go this way from now on: to `mailer`, or without one to the sandbox's inbox. Called once, at
    /// wiring; until then nothing can be mailed. Links begin with `public_url`.
    pub fn mail_by(&self, mailer: Option<Arc<dyn Mailer>>, public_url: &str) {
        // A second call would change nothing; wiring makes one.
        _ = self.mails.way.set(Way { mailer, public_url: public_url.to_owned() });
    }

    /// Mails as they come to the sandbox's inbox, from now on.
    #[must_use]
    pub fn watch_inbox_mails(&self) -> broadcast::Receiver<InboxMail> {
        self.mails.news.subscribe()
    }

    /// Mails in the sandbox's inbox, newest first.
    #[must_use]
    pub fn inbox_mails(
        &self,
        number: Option<PhoneNumber>,
        after: Option<SendId>,
    ) -> Vec<InboxMail> {
        let inbox = self.mails.inbox();
        let wanted = inbox.iter().rev().filter(|it| {
            number.is_none_or(|number| it.mail.number == number)
                && after.is_none_or(|after| it.id > after)
        });
        wanted.cloned().collect()
    }
}
