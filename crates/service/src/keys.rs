//! Keys: one master key file, and everything that is derived from it.
//!
//! ```text
//! rollcall.key ── MasterKeys ── HKDF-SHA256 per epoch and purpose ──▶ KeyRing
//!                                                       ├─ verification codes
//!                                                       ├─ pepper of PIN hashes
//!                                                       ├─ On-Premises tokens
//!                                                       ├─ sealed secrets in the store
//!                                                       ├─ seed of the certificate authority
//!                                                       └─ fingerprints
//! ```
//!
//! An **epoch** numbers a master key. Rotation adds an epoch and keeps the old ones: what is made from
//! now on uses the newest, and what was made before names (or is tried with) its own. Dropping an old
//! epoch from the file ends whatever still hangs on it.

mod key_ring;
mod master_keys;
mod sealed_text;

pub use key_ring::KeyRing;
pub use master_keys::{KeyFileError, KeyFileFault, LineFault, MasterKeys};
pub use sealed_text::SealError;

pub(crate) use key_ring::mac_of;
