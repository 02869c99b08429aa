//! The SMPP sender over TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use outbound::delivery::SenderPorts;
use outbound::delivery::contract::message;
use outbound::delivery::smpp::{SmppDelivery, SmppOptions, SmppTls};
use registration::CodeMethod;
use rustls::crypto::aws_lc_rs;
use service::ports::{CodeDelivery as _, DeliveryError};
use service::testing::SeededEntropy;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::common::{Ledger, clock, until};
use crate::smsc::Smsc;

/// A TLS end in front of `smsc`, and its certificate.
async fn tls_in_front_of(smsc: &Smsc) -> (SocketAddr, String) {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let behind = smsc.address;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut behind = TcpStream::connect(behind).await.unwrap();
                _ = copy_bidirectional(&mut stream, &mut behind).await;
            });
        }
    });
    (address, own.cert.pem())
}

fn start(address: SocketAddr, host: &str, tls: SmppTls) -> SmppDelivery {
    let mut options = SmppOptions::new("smsc", host, address.port(), "rollcall", "secret");
    options.tls = Some(tls);
    let ports = SenderPorts {
        clock: clock(),
        entropy: Arc::new(SeededEntropy::new(7)),
        receipts: Arc::new(Ledger::default()),
    };
    SmppDelivery::start(options, ports)
}

#[tokio::test]
async fn a_code_travels_under_tls_to_an_smsc_with_the_right_certificate_alone() {
    let smsc = Smsc::start().await;
    let (address, certificate) = tls_in_front_of(&smsc).await;
    let pem = certificate.as_bytes();

    let sender = start(address, "localhost", SmppTls::new("localhost", pem).unwrap());
    sender.hand_over(&message(1, CodeMethod::Sms)).await.unwrap();
    assert_eq!(smsc.submits().len(), 1);
    sender.close().await;

    // Another name, or a certificate that nobody vouches for: nothing is said to it.
    for tls in [SmppTls::new("127.0.0.1", pem), SmppTls::new("localhost", b"")] {
        let sender = start(address, "127.0.0.1", tls.unwrap());
        until("refused", || sender.trouble().is_some_and(|why| why.contains("no TLS"))).await;
        let error = sender.hand_over(&message(2, CodeMethod::Sms)).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Unavailable { uncertain: false, .. }), "{error:?}");
    }
    assert_eq!(smsc.submits().len(), 1);
    assert!(SmppTls::new("no name", pem).is_err() && SmppTls::new("localhost", b"x").is_err());
}
