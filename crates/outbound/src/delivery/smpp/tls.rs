//! TLS towards an SMSC.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// Whom to trust, and the name its certificate must have.
#[derive(Clone)]
pub struct SmppTls {
    pub(super) config: Arc<ClientConfig>,
    pub(super) server_name: ServerName<'static>,
}

impl SmppTls {
    /// Trusts the certificates in `roots` (PEM), or the system's if there are none, for `host`.
    pub fn new(host: &str, roots: &[u8]) -> Result<Self, String> {
        let server_name = ServerName::try_from(host.to_owned());
        let server_name =
            server_name.map_err(|_| format!("{host} is no name for a certificate"))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
        let config = if roots.is_empty() {
            builder.with_platform_verifier().map_err(|e| e.to_string())?.with_no_client_auth()
        } else {
            let mut store = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(roots) {
                let certificate =
                    certificate.map_err(|_| "the certificates are not PEM".to_owned())?;
                store.add(certificate).map_err(|e| e.to_string())?;
            }
            if store.is_empty() {
                return Err("there is no certificate to trust".to_owned());
            }
            builder.with_root_certificates(store).with_no_client_auth()
        };
        Ok(Self { config: Arc::new(config), server_name })
    }
}
