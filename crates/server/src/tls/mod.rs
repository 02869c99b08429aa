//! Certificates of the HTTPS listener: self-made, or the operator's; renewed and reloaded while serving.

mod authority;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use registration::Timestamp;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;

use authority::Authority;

/// Why the listener has no certificate.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("cannot use {path}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{path}: {reason}")]
    Unusable {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Making(#[from] rcgen::Error),
    /// TLS refused what it was given.
    #[error("TLS refuses the certificate")]
    Refused(#[from] rustls::Error),
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An authority of the server's own, kept in `folder`, for these names and addresses.
    SelfMade {
        /// Holds `ca.pem` and `ca.key`; made if absent.
        folder: PathBuf,
        /// Host names and IP addresses that clients use.
        names: Vec<String>,
    },
    /// Files of the operator.
    Files {
        /// Chain, PEM, leaf first.
        certificate: PathBuf,
        /// Private key, PEM.
        key: PathBuf,
    },
}

/// The certificate in use; [`Tls::refresh`] and [`Tls::reload`] change it for new connections.
#[derive(Debug)]
pub struct Tls {
    source: Source,
    current: RwLock<Current>,
}

#[derive(Debug, Clone)]
struct Current {
    certificate: Arc<CertifiedKey>,
    ca_pem: String,
    /// When a self-made certificate is to be replaced.
    renew_at: Option<Timestamp>,
    /// When the operator's files had last changed.
    modified: Modified,
}

/// When certificate and key file last changed, as far as there are any.
type Modified = [Option<SystemTime>; 2];

impl Tls {
    /// Reads or makes the certificate of `source`.
    pub fn load(source: Source, now: Timestamp) -> Result<Arc<Self>, TlsError> {
        install_provider();
        let current = RwLock::new(Current::load(&source, now)?);
        Ok(Arc::new(Self { source, current }))
    }

    /// What the listener needs: HTTP/2 or HTTP/1.1 with the certificate in use at each handshake.
    #[must_use]
    pub fn server_config(self: &Arc<Self>) -> Arc<rustls::ServerConfig> {
        let certificates: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        let mut config =
            rustls::ServerConfig::builder().with_no_client_auth().with_cert_resolver(certificates);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }

    /// The certificate that clients have to trust, PEM: the own authority's; of the operator's files what
    /// follows the leaf, or the leaf if it stands alone.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.current().ca_pem
    }

    /// Makes or reads the certificate anew. On failure the one in use stays.
    pub fn reload(&self, now: Timestamp) -> Result<(), TlsError> {
        let fresh = Current::load(&self.source, now)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Reloads if the files have changed or the self-made certificate nears its end; says whether.
    pub fn refresh(&self, now: Timestamp) -> Result<bool, TlsError> {
        let current = self.current();
        let due = current.renew_at.is_some_and(|at| now >= at)
            || current.modified != modified(&self.source);
        if due {
            self.reload(now)?;
        }
        Ok(due)
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Tls {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current().certificate)
    }
}

impl Current {
    fn load(source: &Source, now: Timestamp) -> Result<Self, TlsError> {
        match source {
            Source::SelfMade { folder, names } => Self::make(folder, names, now),
            Source::Files { certificate, key } => {
                // Taken before reading: a change in between is then seen at the next refresh.
                let modified = modified(source);
                Ok(Self { modified, ..Self::read(certificate, key)? })
            }
        }
    }

    fn make(folder: &Path, names: &[String], now: Timestamp) -> Result<Self, TlsError> {
        let authority = Authority::open(folder, now)?;
        let issued = authority.issue(names, now)?;
        Ok(Self {
            certificate: certified(vec![issued.certificate], issued.key)?,
            ca_pem: authority.certificate_pem().to_owned(),
            renew_at: Some(issued.renew_at),
            modified: [None; 2],
        })
    }

    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let pem = fs::read(certificate).map_err(io_error(certificate))?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<_, _>>()
            .map_err(|error| unusable(certificate, &error))?;
        if chain.is_empty() {
            return Err(unusable(certificate, &"holds no PEM certificate"));
        }
        let secret = fs::read(key).map_err(io_error(key))?;
        let secret =
            PrivateKeyDer::from_pem_slice(&secret).map_err(|error| unusable(key, &error))?;
        let ca_pem = authority::pem(if chain.len() > 1 { &chain[1..] } else { &chain });
        let certificate = certified(chain, secret).map_err(|error| unusable(key, &error))?;
        Ok(Self { certificate, ca_pem, renew_at: None, modified: [None; 2] })
    }
}

/// Installs the one TLS implementation of the program; further calls change nothing.
pub fn install_provider() {
    _ = aws_lc_rs::default_provider().install_default();
}

fn modified(source: &Source) -> Modified {
    let of = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    match source {
        Source::Files { certificate, key } => [of(certificate), of(key)],
        Source::SelfMade { .. } => [None; 2],
    }
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<CertifiedKey>, rustls::Error> {
    let provider = CryptoProvider::get_default()
        .ok_or_else(|| rustls::Error::General("no TLS implementation is installed".to_owned()))?;
    CertifiedKey::from_der(chain, key, provider).map(Arc::new)
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> TlsError {
    move |source| TlsError::Io { path: path.display().to_string(), source }
}

fn unusable(path: &Path, reason: &dyn core::fmt::Display) -> TlsError {
    TlsError::Unusable { path: path.display().to_string(), reason: reason.to_string() }
}
