//! The built-in certificate authority.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use prost::Message;
use registration::{PhoneNumber, TextId, Timestamp, VerifiedName, WabaId};
use zeroize::Zeroizing;

use super::decode::{AccountLink, Certificate};
use super::wire;

/// How long a certificate counts: 14 days, the window after an approval in which Meta asks for the
/// registration (§7.4).
pub const LIFETIME: Duration = Duration::from_hours(14 * 24);

/// Keeps a signature of ours from meaning anything elsewhere.
const DOMAIN: &[u8] = b"rollcall/certificate/1\0";

/// Issues certificates and recognises those it issued.
///
/// Signs with the key of the highest epoch; keeps only the public half of the older ones.
pub struct Authority {
    epoch: u32,
    key: SigningKey,
    public_keys: BTreeMap<u32, VerifyingKey>,
}

/// What a new certificate is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCertificate {
    /// The number that it is for.
    pub number: PhoneNumber,
    /// The WABA that may register the number with it.
    pub waba: WabaId,
    /// The approved display name.
    pub name: VerifiedName,
    /// Present moment; the certificate keeps whole seconds.
    pub issued_at: Timestamp,
    /// Serial number; Meta's have 15 to 16 digits.
    pub serial: u64,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// Issued here, and still counts.
    Own {
        /// The number that it is for.
        number: PhoneNumber,
        /// The WABA that it is for.
        waba: WabaId,
        /// The first moment at which it no longer counts.
        expires_at: Timestamp,
    },
    /// Issued here, too long ago.
    OwnExpired {
        /// The number that it was for.
        number: PhoneNumber,
        /// The WABA that it was for.
        waba: WabaId,
        /// The first moment at which it no longer counted.
        expires_at: Timestamp,
    },
    /// Says to be issued here, but no key of this authority signed it: altered, forged, or made by
    /// another installation.
    Forged,
    /// Issued by somebody else, Meta for example. It can be read, not authenticated.
    Foreign,
}

impl Authority {
    /// The issuer in our certificates.
    pub const ISSUER: &'static str = "ent:rollcall";

    /// An authority with one Ed25519 seed per key epoch; `None` if there is no seed at all.
    ///
    /// The highest epoch signs, every epoch verifies. Of two seeds for one epoch the later counts.
    pub fn new(seeds: impl IntoIterator<Item = (u32, [u8; 32])>) -> Option<Self> {
        let mut current: Option<(u32, SigningKey)> = None;
        let mut public_keys = BTreeMap::new();
        for (epoch, seed) in seeds {
            let key = SigningKey::from_bytes(&Zeroizing::new(seed));
            public_keys.insert(epoch, key.verifying_key());
            if current.as_ref().is_none_or(|(highest, _)| epoch >= *highest) {
                current = Some((epoch, key));
            }
        }
        current.map(|(epoch, key)| Self { epoch, key, public_keys })
    }

    /// A signed certificate as base64 text, ready to be posted as `cert`.
    #[must_use]
    pub fn issue(&self, new: &NewCertificate) -> String {
        let issue_time = u64::try_from(new.issued_at.as_seconds()).unwrap_or(0);
        let details = wire::Details {
            serial: Some(new.serial),
            issuer: Some(Self::ISSUER.to_owned()),
            verified_name: Some(new.name.as_str().to_owned()),
            localized_names: Vec::new(),
            issue_time: Some(issue_time),
        }
        .encode_to_vec();
        let link_info = self.link_info(new, issue_time).encode_to_vec();
        let signature = self.key.sign(&signed_form(&details, &link_info));
        let payload = wire::BizAccountPayload {
            vname_cert: Some(wire::VerifiedNameCertificate {
                details: Some(details),
                signature: None,
                server_signature: Some(signature.to_bytes().to_vec()),
            }),
            biz_acct_link_info: Some(link_info),
        };
        STANDARD.encode(payload.encode_to_vec())
    }

    /// Tells whether `certificate` was issued here, for whom, and whether it still counts at `now`.
    ///
    /// It counts from its issue time on for `lifetime` (usually [`LIFETIME`]). A clock that was turned
    /// back does not make it invalid.
    #[must_use]
    pub fn provenance(
        &self,
        certificate: &Certificate,
        now: Timestamp,
        lifetime: Duration,
    ) -> Provenance {
        if certificate.issuer != Self::ISSUER {
            return Provenance::Foreign;
        }
        let (true, Some(link), Some(issued_at)) =
            (self.signed(certificate), certificate.account_link(), certificate.issued_at)
        else {
            return Provenance::Forged;
        };
        let AccountLink { number, waba } = link;
        let expires_at = issued_at + lifetime;
        if now < expires_at {
            Provenance::Own { number, waba, expires_at }
        } else {
            Provenance::OwnExpired { number, waba, expires_at }
        }
    }

    fn link_info(&self, new: &NewCertificate, issue_time: u64) -> wire::BizAccountLinkInfo {
        let fbid = as_fbid(&new.waba);
        wire::BizAccountLinkInfo {
            whatsapp_biz_acct_fbid: fbid,
            whatsapp_acct_number: Some(new.number.digits()),
            issue_time: Some(issue_time),
            host_storage: Some(wire::HostStorageType::OnPremise.into()),
            account_type: Some(wire::AccountType::Enterprise.into()),
            waba_id: fbid.is_none().then(|| new.waba.as_str().to_owned()),
            key_epoch: Some(self.epoch),
        }
    }

    fn signed(&self, certificate: &Certificate) -> bool {
        let key = wire::BizAccountLinkInfo::decode(&*certificate.link_info)
            .ok()
            .and_then(|link| link.key_epoch)
            .and_then(|epoch| self.public_keys.get(&epoch));
        let signature = Signature::from_slice(&certificate.server_signature);
        let message = signed_form(&certificate.details, &certificate.link_info);
        key.zip(signature.ok())
            .is_some_and(|(key, signature)| key.verify_strict(&message, &signature).is_ok())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// The WABA id as `uint64`, if it comes back from there unchanged.
fn as_fbid(waba: &WabaId) -> Option<u64> {
    waba.as_str().parse().ok().filter(|fbid: &u64| fbid.to_string() == waba.as_str())
}

/// The bytes under the signature; the module documentation has the layout.
fn signed_form(details: &[u8], link_info: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(DOMAIN.len() + 8 + details.len() + link_info.len());
    message.extend_from_slice(DOMAIN);
    for part in [details, link_info] {
        // A certificate has at most 4 KiB, and a name at most 256 characters: u32 always holds.
        message.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        message.extend_from_slice(part);
    }
    message
}
