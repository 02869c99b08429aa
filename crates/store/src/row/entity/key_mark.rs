//! What the store knows a master key by.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use service::directory::KeyMark;

use super::super::{BadRow, to_json};
use super::Reader;

#[derive(Serialize, Deserialize)]
struct KeyMarkTwin<'a> {
    #[serde(borrow)]
    mark: Cow<'a, str>,
}

/// The body of a mark.
pub(super) fn body(it: &KeyMark) -> String {
    to_json(&KeyMarkTwin { mark: it.mark.as_str().into() })
}

impl Reader<'_> {
    pub(super) fn key_mark(&self) -> Result<KeyMark, BadRow> {
        let twin: KeyMarkTwin<'_> = self.twin()?;
        Ok(KeyMark {
            epoch: self.place.ok("id", self.id.parse().ok())?,
            mark: twin.mark.into_owned(),
        })
    }
}
