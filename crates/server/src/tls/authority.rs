//! The server's own certificate authority.

use core::time::Duration;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use base64::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use registration::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{TlsError, io_error, unusable};
use crate::files;

const DAY: Duration = Duration::from_hours(24);

/// Life of the authority. Clients have to be given a new one afterwards, so it is long.
const AUTHORITY_LIFE: Duration = DAY.saturating_mul(3650);

/// Life of a server certificate, as the On-Premises API made its own.
const SERVER_LIFE: Duration = DAY.saturating_mul(365);

/// How long before its end a server certificate is replaced.
const RENEW_BEFORE: Duration = DAY.saturating_mul(30);

/// Certificates count as valid this long before they were made, for clients whose clock is behind.
const BACKDATED: Duration = DAY;

/// A key and its self-signed certificate.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
}

/// A fresh server certificate; only the authority is kept on disk.
pub(super) struct Issued {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
    pub(super) renew_at: Timestamp,
}

impl Authority {
    /// The authority in `folder`, made at the first call.
    pub(super) fn open(folder: &Path, now: Timestamp) -> Result<Self, TlsError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(io_error(folder))?;
        let (key_path, certificate_path) = (folder.join("ca.key"), folder.join("ca.pem"));
        // Made beforehand, needed or not: it takes microseconds.
        let fresh = KeyPair::generate()?.serialize_pem();
        let key = files::read_or_create(&key_path, || fresh).map_err(io_error(&key_path))?;
        let key = KeyPair::from_pem(&key).map_err(|error| unusable(&key_path, &error))?;
        let params = params(&key, now);
        let fresh = params.self_signed(&key)?.pem();
        let certificate_pem = files::read_or_create(&certificate_path, || fresh)
            .map_err(io_error(&certificate_path))?;
        CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|error| unusable(&certificate_path, &error))?;
        Ok(Self { issuer: Issuer::new(params, key), certificate_pem })
    }

    /// The authority's certificate, for clients to trust.
    pub(super) fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A certificate for a server that clients know by `names`, with a key of its own.
    pub(super) fn issue(&self, names: &[String], now: Timestamp) -> Result<Issued, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, "Rollcall server");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        valid_for(&mut params, now, SERVER_LIFE);
        let certificate = params.signed_by(&key, &self.issuer)?.der().clone();
        Ok(Issued {
            certificate,
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            renew_at: now + SERVER_LIFE - RENEW_BEFORE,
        })
    }
}

/// Certificates as PEM.
pub(super) fn pem(chain: &[CertificateDer<'_>]) -> String {
    let mut text = String::new();
    for certificate in chain {
        let body = BASE64_STANDARD.encode(certificate);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in body.as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

/// What the authority's certificate says; besides the dates it follows from the key alone, so that an
/// issuer can be put together again from the key.
fn params(key: &KeyPair, now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    // The first byte of the public key is the same in all of them.
    let mark = hex::encode(key.public_key_raw().get(1..5).unwrap_or_default());
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("Rollcall authority {mark}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid_for(&mut params, now, AUTHORITY_LIFE);
    params
}

fn valid_for(params: &mut CertificateParams, now: Timestamp, life: Duration) {
    let ((from_year, from_month, from_day), (year, month, day)) =
        (date(now - BACKDATED), date(now + life));
    params.not_before = date_time_ymd(from_year, from_month, from_day);
    params.not_after = date_time_ymd(year, month, day);
}

/// Year, month and day (UTC) of `time`.
fn date(time: Timestamp) -> (i32, u8, u8) {
    // A time that no calendar holds becomes 1970: such a certificate is expired, not wrong.
    let time = jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or_default();
    let date = jiff::tz::Offset::UTC.to_datetime(time).date();
    (date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
}
