//! HTTPS: the self-made authority, the operator's files, and their change while serving.

use core::time::Duration;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use registration::Timestamp;
use reqwest::{Certificate, Client, StatusCode};
use server::clock::SystemClock;
use server::tls::{Source, Tls, TlsError, install_provider};
use service::ports::Clock as _;

use crate::harness::{Rollcall, Served, greeter, options, within};

fn now() -> Timestamp {
    SystemClock::new().now()
}

/// A client that trusts `ca_pem` and nothing else.
fn client(ca_pem: &str) -> Client {
    install_provider();
    let ca = Certificate::from_pem(ca_pem.as_bytes()).unwrap();
    Client::builder().no_proxy().tls_certs_only([ca]).build().unwrap()
}

/// Whether a client that trusts `ca_pem` gets an answer from `https://host:port`.
async fn answers(host: &str, port: u16, ca_pem: &str) -> bool {
    match within(client(ca_pem).get(format!("https://{host}:{port}/livez")).send()).await {
        Ok(answer) => {
            assert!(matches!(answer.status(), StatusCode::OK | StatusCode::NOT_FOUND));
            true
        }
        Err(_) => false,
    }
}

fn self_made(folder: &Path) -> Arc<Tls> {
    let names = ["localhost", "127.0.0.1"].map(str::to_owned).to_vec();
    Tls::load(Source::SelfMade { folder: folder.to_owned(), names }, now()).unwrap()
}

async fn serve(tls: &Arc<Tls>) -> (Served, u16) {
    let server = Served::start_with(greeter(), options(), Some(tls.server_config())).await;
    let port = server.https.unwrap().port();
    (server, port)
}

#[tokio::test]
async fn a_client_that_trusts_the_self_made_authority_is_served() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let tls = self_made(dir.path());
    let (_server, port) = serve(&tls).await;
    for host in ["localhost", "127.0.0.1"] {
        assert!(answers(host, port, &tls.ca_pem()).await, "{host}");
    }
    assert!(!answers("localhost", port, &self_made(other.path()).ca_pem()).await);
    assert_eq!(fs::read_to_string(dir.path().join("ca.pem")).unwrap(), tls.ca_pem());
    let key = fs::metadata(dir.path().join("ca.key")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn the_authority_outlives_restarts_and_renewals() {
    let dir = tempfile::tempdir().unwrap();
    let ca_pem = self_made(dir.path()).ca_pem();
    let tls = self_made(dir.path());
    assert_eq!(tls.ca_pem(), ca_pem);
    let (_server, port) = serve(&tls).await;
    let days = |days: u64| now() + Duration::from_hours(24 * days);
    assert!(!tls.refresh(days(334)).unwrap());
    assert!(tls.refresh(days(336)).unwrap());
    // The new certificate counts from that future day, so today no client takes it …
    assert!(!answers("localhost", port, &ca_pem).await);
    // … and one made today has the same authority.
    tls.reload(now()).unwrap();
    assert!(answers("localhost", port, &ca_pem).await);
}

/// A self-signed certificate for localhost with its key, as an operator would bring.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    version: u64,
}

impl Files {
    fn new(folder: &Path) -> Self {
        Self { certificate: folder.join("own.pem"), key: folder.join("own.key"), version: 0 }
    }

    /// Writes a fresh pair and returns the certificate.
    fn write(&mut self) -> String {
        let fresh = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        self.put(&fresh.cert.pem(), &fresh.signing_key.serialize_pem());
        fresh.cert.pem()
    }

    fn put(&mut self, certificate: &str, key: &str) {
        // Distinct times, however coarse those of the file system are.
        self.version += 1;
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(self.version);
        for (path, text) in [(&self.certificate, certificate), (&self.key, key)] {
            fs::write(path, text).unwrap();
            File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
        }
    }

    fn source(&self) -> Source {
        Source::Files { certificate: self.certificate.clone(), key: self.key.clone() }
    }
}

#[tokio::test]
async fn changed_files_are_taken_up_and_damaged_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Files::new(dir.path());
    let first = files.write();
    let tls = Tls::load(files.source(), now()).unwrap();
    let (_server, port) = serve(&tls).await;
    assert!(answers("localhost", port, &first).await);
    assert!(!tls.refresh(now()).unwrap());
    let second = files.write();
    assert!(tls.refresh(now()).unwrap());
    assert!(answers("localhost", port, &second).await);
    assert!(!answers("localhost", port, &first).await);
    files.put("nothing", "nothing");
    assert!(matches!(tls.refresh(now()), Err(TlsError::Unusable { .. })));
    assert!(answers("localhost", port, &second).await);
}

#[test]
fn a_key_that_does_not_fit_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Files::new(dir.path());
    let certificate = files.write();
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    files.put(&certificate, &key);
    let words = Tls::load(files.source(), now()).unwrap_err().to_string();
    assert!(words.contains("own.key"), "{words}");
}

#[tokio::test]
async fn the_binary_serves_https_and_reloads_on_hangup() {
    let data = tempfile::tempdir().unwrap();
    let mut files = Files::new(data.path());
    let first = files.write();
    let config = data.path().join("rollcall.toml");
    let text = format!(
        "[tls]\ncertificate_file = {:?}\nkey_file = {:?}\n[listen]\nhttps = \"127.0.0.1:0\"\n",
        files.certificate, files.key
    );
    fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let mut server = Rollcall::serve(data.path(), &["--config", config]);
    let line = server.line();
    let port =
        line.strip_prefix("listening on https://127.0.0.1:").unwrap().trim().parse().unwrap();
    assert!(answers("localhost", port, &first).await);
    let second = files.write();
    server.signal("HUP");
    server.await_log("certificate reloaded");
    assert!(answers("localhost", port, &second).await);
    server.signal("TERM");
    assert_eq!(server.ended().0.code(), Some(0));
}

#[tokio::test]
async fn a_hangup_without_https_is_survived() {
    let data = tempfile::tempdir().unwrap();
    let server = Rollcall::serve(data.path(), &[]);
    server.signal("HUP");
    server.signal("TERM");
    assert_eq!(server.ended().0.code(), Some(0));
}

#[tokio::test]
async fn a_client_that_speaks_http_to_the_port_of_https_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, port) = serve(&self_made(dir.path())).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let url = format!("http://127.0.0.1:{port}/livez");
    let answer = within(client.get(url).send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let said = answer.text().await.unwrap();
    assert_eq!(said, "This port speaks HTTPS: write https:// in the URL.\r\n");
}
