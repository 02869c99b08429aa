//! Documents with secrets in them: sealed for the store, opened for the one who set them.

use service::ServiceError;
use service::directory::Document;

use super::call::{Call, Visit};
use super::reply::Fault;

/// A document whose content is sealed with the installation's keys and bound to its account and name.
/// Not to its client: a backup carries it to another client of the account.
pub struct SealedDocument {
    /// Name of the document.
    pub name: &'static str,
}

/// Media type of what is stored.
const SEALED: &str = "application/vnd.rollcall.sealed";

impl SealedDocument {
    /// The content; `None` if nothing is stored.
    pub async fn read(&self, visit: &Visit) -> Result<Option<Vec<u8>>, Fault> {
        let found = visit.app.service.document(&visit.client.id, self.name).await;
        match found.map_err(|error| visit.fault(error))? {
            Some(document) => self.open(visit, &document).map(Some).map_err(|e| visit.fault(e)),
            None => Ok(None),
        }
    }

    /// Turns the content into what `edit` makes of it; `None` removes the document. What does not open
    /// is an error and stays as it is.
    pub async fn edit(
        &self,
        call: &Call,
        edit: impl Fn(Option<Vec<u8>>) -> Option<Vec<u8>> + Send + Sync,
    ) -> Result<(), Fault> {
        let visit = &call.visit;
        self.read(visit).await?;
        let service = &visit.app.service;
        let reseal = |old: Option<&Document>| {
            // It opened a moment ago; only a key that vanished since could make it fail now.
            let old = old.and_then(|document| self.open(visit, document).ok());
            let content = edit(old)?;
            let sealed = service.keys().seal(&self.context(visit), &content, service.entropy());
            Some((SEALED.to_owned(), sealed.into_bytes()))
        };
        let done = service.edit_document(&call.caller(), &visit.client.id, self.name, reseal).await;
        done.map_err(|error| visit.fault(error))
    }

    fn open(&self, visit: &Visit, document: &Document) -> Result<Vec<u8>, ServiceError> {
        let unreadable = |why: String| ServiceError::Bug(format!("document {}: {why}", self.name));
        let sealed = core::str::from_utf8(&document.body).map_err(|e| unreadable(e.to_string()))?;
        let opened = visit.app.service.keys().open(&self.context(visit), sealed);
        opened.map(|content| content.to_vec()).map_err(|e| unreadable(e.to_string()))
    }

    fn context(&self, visit: &Visit) -> String {
        format!("document/{}/{}", visit.client.account, self.name)
    }
}
