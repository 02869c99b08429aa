//! What the store knows a master key by.

/// A value that only the master key of an epoch gives; see [`crate::key_marks`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMark {
    /// The epoch.
    pub epoch: u32,
    /// In hexadecimal; tells nothing about the key.
    pub mark: String,
}
