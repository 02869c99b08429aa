//! `type = "voice"`: calls over a SIP trunk.

use crate::config::HostPort;
use crate::config::reader::Reader;

/// What a SIP trunk needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The trunk.
    pub trunk: Option<HostPort>,
}

impl Settings {
    pub(super) fn hosts(&self) -> Vec<String> {
        self.trunk.iter().map(|address| address.host.clone()).collect()
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Settings {
    Settings { trunk: reader.required("trunk") }
}
