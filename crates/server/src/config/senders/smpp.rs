//! `type = "smpp"`: a message centre.

use crate::config::HostPort;
use crate::config::reader::Reader;
use crate::config::secret::Secret;

/// What an SMPP sender needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The message centre.
    pub address: Option<HostPort>,
    /// Name to bind with.
    pub system_id: String,
    /// Password to bind with.
    pub password: Option<Secret>,
}

impl Settings {
    pub(super) fn hosts(&self) -> Vec<String> {
        self.address.iter().map(|address| address.host.clone()).collect()
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Settings {
    Settings {
        address: reader.required("address"),
        system_id: reader.required("system_id").unwrap_or_default(),
        password: reader.secret("password"),
    }
}
