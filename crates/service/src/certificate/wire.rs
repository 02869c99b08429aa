//! The protobuf messages, field by field as in `onprem-api.md` §8.1, and a bound on their nesting.

use prost::Message;

/// What the base64 text decodes to.
#[derive(Clone, PartialEq, Message)]
pub(super) struct BizAccountPayload {
    #[prost(message, optional, tag = "1")]
    pub(super) vname_cert: Option<VerifiedNameCertificate>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) biz_acct_link_info: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct VerifiedNameCertificate {
    /// A serialised [`Details`], kept as bytes because the signature is over them.
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(super) details: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) signature: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub(super) server_signature: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Details {
    #[prost(uint64, optional, tag = "1")]
    pub(super) serial: Option<u64>,
    #[prost(string, optional, tag = "2")]
    pub(super) issuer: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(super) verified_name: Option<String>,
    #[prost(message, repeated, tag = "8")]
    pub(super) localized_names: Vec<LocalizedName>,
    /// Unix seconds.
    #[prost(uint64, optional, tag = "10")]
    pub(super) issue_time: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct LocalizedName {
    /// Language.
    #[prost(string, optional, tag = "1")]
    pub(super) lg: Option<String>,
    /// Country.
    #[prost(string, optional, tag = "2")]
    pub(super) lc: Option<String>,
    #[prost(string, optional, tag = "3")]
    pub(super) verified_name: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct BizAccountLinkInfo {
    #[prost(uint64, optional, tag = "1")]
    pub(super) whatsapp_biz_acct_fbid: Option<u64>,
    #[prost(string, optional, tag = "2")]
    pub(super) whatsapp_acct_number: Option<String>,
    /// Unix seconds.
    #[prost(uint64, optional, tag = "3")]
    pub(super) issue_time: Option<u64>,
    #[prost(enumeration = "HostStorageType", optional, tag = "4")]
    pub(super) host_storage: Option<i32>,
    #[prost(enumeration = "AccountType", optional, tag = "5")]
    pub(super) account_type: Option<i32>,
    /// Our extension: a WABA id that field 1 cannot hold.
    #[prost(string, optional, tag = "60001")]
    pub(super) waba_id: Option<String>,
    /// Our extension: epoch of the signing key.
    #[prost(uint32, optional, tag = "60002")]
    pub(super) key_epoch: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum HostStorageType {
    OnPremise = 0,
    Facebook = 1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum AccountType {
    Enterprise = 0,
}

/// Levels below the outermost message that a certificate may have: `vnameCert`, `details`,
/// `localizedNames` (§8.4). Unknown groups count too.
const DEPTH_MAX: u8 = 3;

/// Whether `payload` nests deeper than a certificate may.
///
/// prost has a limit of its own (100) that cannot be set; this one is checked first. The walk ends at
/// the first byte that is no protobuf, which prost then reports.
pub(super) fn nests_too_deep(payload: &[u8]) -> bool {
    walk(payload, Shape::Payload, 0)
}

/// The messages that may stand in each other.
#[derive(Clone, Copy)]
enum Shape {
    Payload,
    VerifiedNameCertificate,
    Details,
    LocalizedName,
}

impl Shape {
    /// The message that `field` holds, if it holds one.
    fn child(self, field: u64) -> Option<Self> {
        match (self, field) {
            (Self::Payload, 1) => Some(Self::VerifiedNameCertificate),
            (Self::VerifiedNameCertificate, 1) => Some(Self::Details),
            (Self::Details, 8) => Some(Self::LocalizedName),
            _ => None,
        }
    }
}

/// Whether anything in `rest`, itself `depth` levels down, lies below [`DEPTH_MAX`].
///
/// Recurses once per known level, so at most three times; groups are counted, not recursed into.
fn walk(mut rest: &[u8], shape: Shape, depth: u8) -> bool {
    let mut groups = 0_u8;
    while let Some(key) = take_varint(&mut rest) {
        let sound = match key & 7 {
            0 => take_varint(&mut rest).is_some(),
            1 => take(&mut rest, 8).is_some(),
            2 => match take_varint(&mut rest).and_then(|length| take(&mut rest, length)) {
                Some(inside) => {
                    if groups == 0
                        && let Some(child) = shape.child(key >> 3)
                        && walk(inside, child, depth.saturating_add(1))
                    {
                        return true;
                    }
                    true
                }
                None => false,
            },
            3 => {
                groups = groups.saturating_add(1);
                true
            }
            4 => {
                groups = groups.saturating_sub(1);
                true
            }
            5 => take(&mut rest, 4).is_some(),
            _ => false,
        };
        if depth.saturating_add(groups) > DEPTH_MAX {
            return true;
        }
        if !sound {
            return false;
        }
    }
    false
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = left;
    Some(taken)
}

/// A base-128 number of at most 10 bytes, the length of the largest `uint64`.
fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
