//! Reading a certificate that somebody posted.

use core::time::Duration;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost::Message;
use registration::{PhoneNumber, TextId, Timestamp, VerifiedName, VerifiedNameError, WabaId};

use super::wire;

/// Most bytes of a certificate once decoded (§8.4). Real ones have 147 to 171.
const BYTES_MAX: usize = 4096;

/// The standard alphabet; callers lose the padding when they copy and paste.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A well-formed certificate of any origin. Nothing in it is authenticated by being here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The display name; the first localised one where the certificate has no other.
    pub name: VerifiedName,
    /// Serial number of the certificate.
    pub serial: Option<u64>,
    /// Who says to have issued it: `ent:wa`, [`Authority::ISSUER`](super::Authority::ISSUER); may be empty.
    pub issuer: String,
    /// When it says to have been issued.
    pub issued_at: Option<Timestamp>,
    /// The name in other languages.
    pub localized: Vec<LocalizedName>,
    /// The account-link part as it came: opaque in Meta's certificates.
    pub link_info: Vec<u8>,
    /// The signed part as it came.
    pub(super) details: Vec<u8>,
    /// The authority's signature as it came.
    pub(super) server_signature: Vec<u8>,
}

/// The display name for speakers of one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalizedName {
    /// Language, as in `de`; may be empty.
    pub language: String,
    /// Country, as in `AT`; may be empty.
    pub country: String,
    /// The name.
    pub name: String,
}

/// What an account-link part says when it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLink {
    /// The number that the certificate is for.
    pub number: PhoneNumber,
    /// The WABA that it is for.
    pub waba: WabaId,
}

/// Why some text is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// Not the standard base64 alphabet, or of a length that no base64 text has.
    #[error("the certificate is not base64")]
    NotBase64,
    /// More than 4 KiB once decoded.
    #[error("the certificate has more than {BYTES_MAX} bytes")]
    TooLarge,
    /// Messages inside messages beyond what a certificate has.
    #[error("the certificate nests too deep")]
    TooDeep,
    /// Not the protobuf messages, or a name that is not UTF-8.
    #[error("the certificate is not a verified-name certificate")]
    Malformed(#[source] prost::DecodeError),
    /// No display name, and no localised one either.
    #[error("the certificate carries no display name")]
    NoName,
    /// A display name that cannot be one.
    #[error("the display name in the certificate cannot be used")]
    BadName(#[source] VerifiedNameError),
}

impl Certificate {
    /// Reads base64 text as callers paste it: white space and missing padding do not matter.
    ///
    /// Work and memory are bounded by 4 KiB whatever the text holds.
    pub fn decode(text: &str) -> Result<Self, CertificateFault> {
        let bytes = decode_base64(text)?;
        if wire::nests_too_deep(&bytes) {
            return Err(CertificateFault::TooDeep);
        }
        let payload =
            wire::BizAccountPayload::decode(&*bytes).map_err(CertificateFault::Malformed)?;
        let signed = payload.vname_cert.unwrap_or_default();
        let details_bytes = signed.details.unwrap_or_default();
        let details =
            wire::Details::decode(&*details_bytes).map_err(CertificateFault::Malformed)?;
        let localized: Vec<_> = details.localized_names.into_iter().map(Into::into).collect();
        Ok(Self {
            name: display_name(details.verified_name.as_deref(), &localized)?,
            serial: details.serial,
            issuer: details.issuer.unwrap_or_default(),
            issued_at: details.issue_time.map(from_unix_seconds),
            localized,
            link_info: payload.biz_acct_link_info.unwrap_or_default(),
            details: details_bytes,
            server_signature: signed.server_signature.unwrap_or_default(),
        })
    }

    /// The number and WABA that the account-link part names, if it is in clear as ours is.
    ///
    /// An unauthenticated claim; [`Authority::provenance`](super::Authority::provenance) tells whether
    /// to believe it.
    #[must_use]
    pub fn account_link(&self) -> Option<AccountLink> {
        let link = wire::BizAccountLinkInfo::decode(&*self.link_info).ok()?;
        let waba = match (link.waba_id, link.whatsapp_biz_acct_fbid) {
            (Some(id), None) => id,
            (None, Some(fbid)) => fbid.to_string(),
            (Some(_), Some(_)) | (None, None) => return None,
        };
        Some(AccountLink {
            number: PhoneNumber::parse(&link.whatsapp_acct_number?).ok()?,
            waba: WabaId::parse(&waba)?,
        })
    }
}

impl From<wire::LocalizedName> for LocalizedName {
    fn from(name: wire::LocalizedName) -> Self {
        Self {
            language: name.lg.unwrap_or_default(),
            country: name.lc.unwrap_or_default(),
            name: name.verified_name.unwrap_or_default(),
        }
    }
}

fn decode_base64(text: &str) -> Result<Vec<u8>, CertificateFault> {
    /// Characters that [`BYTES_MAX`] bytes take, padding included.
    const CHARACTERS_MAX: usize = BYTES_MAX.div_ceil(3) * 4;
    let characters: Vec<u8> =
        text.bytes().filter(|byte| !byte.is_ascii_whitespace()).take(CHARACTERS_MAX + 1).collect();
    if characters.len() > CHARACTERS_MAX {
        return Err(CertificateFault::TooLarge);
    }
    let bytes = BASE64.decode(characters).map_err(|_| CertificateFault::NotBase64)?;
    if bytes.len() > BYTES_MAX { Err(CertificateFault::TooLarge) } else { Ok(bytes) }
}

fn display_name(
    verified_name: Option<&str>,
    localized: &[LocalizedName],
) -> Result<VerifiedName, CertificateFault> {
    verified_name
        .into_iter()
        .chain(localized.iter().map(|name| name.name.as_str()))
        .find(|name| !name.trim().is_empty())
        .ok_or(CertificateFault::NoName)
        .and_then(|name| VerifiedName::parse(name).map_err(CertificateFault::BadName))
}

/// Saturates at the end of time, which is past every date that a certificate may honestly carry.
fn from_unix_seconds(seconds: u64) -> Timestamp {
    Timestamp::default() + Duration::from_secs(seconds)
}
