//! Verified-name certificates: reading any, issuing and recognising our own.
//!
//! A certificate carries the display name that was approved for a number. Its form is the protobuf that
//! On-Premises callers post as `cert` (reference `onprem-api.md` §8), in base64:
//!
//! ```text
//! BizAccountPayload
//! ├─ 1 vnameCert: VerifiedNameCertificate
//! │   ├─ 1 details: bytes ── Details { 1 serial, 2 issuer, 4 verifiedName, 8 localizedNames, 10 issueTime }
//! │   ├─ 2 signature            (the registering client's own; absent in what callers post)
//! │   └─ 3 serverSignature      (the authority's, 64 bytes)
//! └─ 2 bizAcctLinkInfo: bytes   (ours: BizAccountLinkInfo; Meta's: opaque)
//! ```
//!
//! Meta's certificates can be read but not authenticated: the key is Meta's, and the number stands in
//! them nowhere in clear. They are a claim about a name, never proof of owning a number. Whether to
//! accept such a claim is the caller's decision; this module only tells where a certificate comes
//! from ([`Authority::provenance`]).
//!
//! # What the built-in authority signs
//!
//! Ed25519 over this byte string, which has one reading only because every part has a known length:
//!
//! ```text
//! "rollcall/certificate/1" ‖ 0x00 ‖ u32 BE length of details ‖ details ‖ u32 BE length of link info ‖ link info
//! ```
//!
//! Both parts are taken as the bytes that travelled, so the signature binds name, number, WABA and
//! issue time to each other. The link info is a plain `BizAccountLinkInfo` with two fields of our own,
//! numbered from the range that protobuf leaves to private use (50000 to 99999):
//!
//! | No. | Field | Meaning |
//! |---|---|---|
//! | 60001 | `wabaId` string | the WABA id where it is no number that survives `uint64` (then field 1 is absent) |
//! | 60002 | `keyEpoch` uint32 | which key of the authority signed |

mod authority;
mod decode;
mod summary;
mod wire;

#[cfg(test)]
mod tests;

pub use authority::{Authority, LIFETIME, NewCertificate, Provenance};
pub use decode::{AccountLink, Certificate, CertificateFault, LocalizedName};
pub use summary::Summary;
