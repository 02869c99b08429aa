//! TLS of the signalling, for the SIP library, which would bring another cryptographic provider.

use core::net::SocketAddr;
use std::collections::HashMap;
use std::io::BufReader;
use std::sync::{Arc, LazyLock, Once, PoisonError};

use async_trait::async_trait;
use rsipstack::platform::tls::{TlsClientConfig, TlsConnector, TlsStream};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// Bytes read at once; a SIP message fits.
const CHUNK_BYTES: usize = 16 * 1024;

/// Why TLS to the trunk cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsSetupError {
    /// The file with trusted certificates has none, or bad ones.
    #[error("the certificates to trust cannot be read")]
    Certificates,
    /// Another problem of the TLS library.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// How TLS is spoken with one trunk.
#[derive(Clone)]
pub(super) struct Tls {
    config: Arc<ClientConfig>,
    /// The name that the trunk's certificate must have.
    host: String,
}

impl Tls {
    /// Trusts `ca_pem`, or what the system trusts.
    pub(super) fn new(host: &str, ca_pem: Option<&[u8]>) -> Result<Self, TlsSetupError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = match ca_pem {
            None => builder.with_platform_verifier()?.with_no_client_auth(),
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_reader_iter(BufReader::new(pem)) {
                    let certificate = certificate.map_err(|_| TlsSetupError::Certificates)?;
                    roots.add(certificate)?;
                }
                if roots.is_empty() {
                    return Err(TlsSetupError::Certificates);
                }
                builder.with_root_certificates(roots).with_no_client_auth()
            }
        };
        Ok(Self { config: Arc::new(config), host: host.to_owned() })
    }

    /// Connections to `trunk` are made this way from now on.
    pub(super) fn use_for(&self, trunk: SocketAddr) {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| rsipstack::platform::tls::set_client_connector(Arc::new(Connector)));
        TRUNKS.lock().unwrap_or_else(PoisonError::into_inner).insert(trunk, self.clone());
    }
}

/// The trunks that speak TLS: the library has one connector for the whole process.
static TRUNKS: LazyLock<std::sync::Mutex<HashMap<SocketAddr, Tls>>> =
    LazyLock::new(Default::default);

/// Dials trunks.
struct Connector;

#[async_trait]
impl TlsConnector for Connector {
    async fn connect(
        &self,
        _: &TlsClientConfig,
        address: SocketAddr,
    ) -> rsipstack::Result<Box<dyn TlsStream>> {
        let failed = |reason: String| rsipstack::Error::Error(reason);
        let tls = TRUNKS.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned();
        let tls = tls.ok_or_else(|| failed("no trunk with TLS has this address".to_owned()))?;
        let name = ServerName::try_from(tls.host).map_err(|error| failed(error.to_string()))?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let local = stream.local_addr()?;
        let connector = tokio_rustls::TlsConnector::from(tls.config);
        let (reader, writer) = tokio::io::split(connector.connect(name, stream).await?);
        Ok(Box::new(Stream { reader: Mutex::new(reader), writer: Mutex::new(writer), local }))
    }
}

type Session = tokio_rustls::client::TlsStream<TcpStream>;

struct Stream {
    reader: Mutex<ReadHalf<Session>>,
    writer: Mutex<WriteHalf<Session>>,
    local: SocketAddr,
}

#[async_trait]
impl TlsStream for Stream {
    async fn recv(&self) -> rsipstack::Result<Vec<u8>> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let count = self.reader.lock().await.read(&mut chunk).await?;
        chunk.truncate(count);
        Ok(chunk)
    }

    async fn send_all(&self, data: Vec<u8>) -> rsipstack::Result<()> {
        let mut writer = self.writer.lock().await;
        writer.write_all(&data).await?;
        Ok(writer.flush().await?)
    }

    async fn shutdown(&self) -> rsipstack::Result<()> {
        Ok(self.writer.lock().await.shutdown().await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.local)
    }
}
