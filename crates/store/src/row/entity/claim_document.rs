//! Documents of claims; the content has a column of its own.

use std::borrow::Cow;

use registration::TextId as _;
use serde::{Deserialize, Serialize};
use service::directory::ClaimDocument;

use super::super::{BadRow, to_json};
use super::{Reader, at};

#[derive(Serialize, Deserialize)]
struct ClaimDocumentTwin<'a> {
    #[serde(borrow)]
    claim: Cow<'a, str>,
    #[serde(borrow)]
    waba: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    content_type: Cow<'a, str>,
    at: i64,
}

/// The body of a document but for its content.
pub(super) fn body(it: &ClaimDocument) -> String {
    to_json(&ClaimDocumentTwin {
        claim: it.claim.as_str().into(),
        waba: it.waba.as_str().into(),
        name: (&it.name).into(),
        content_type: (&it.content_type).into(),
        at: it.updated_at.as_millis(),
    })
}

impl Reader<'_> {
    pub(super) fn claim_document(&self, body: Vec<u8>) -> Result<ClaimDocument, BadRow> {
        let twin: ClaimDocumentTwin<'_> = self.twin()?;
        Ok(ClaimDocument {
            claim: self.id_in_body(&twin.claim)?,
            waba: self.id_in_body(&twin.waba)?,
            name: twin.name.into_owned(),
            content_type: twin.content_type.into_owned(),
            body,
            updated_at: at(twin.at),
        })
    }
}
