//! The link to the trunk: one SIP endpoint, its registration, and what comes in on it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use std::sync::Arc;

use async_trait::async_trait;
use rsipstack::EndpointBuilder;
use rsipstack::dialog::authenticate::Credential;
use rsipstack::dialog::dialog_layer::DialogLayer;
use rsipstack::dialog::registration::Registration;
use rsipstack::platform::CancellationToken;
use rsipstack::sip::{Host, HostWithPort, Method, StatusCode, Transport, Uri};
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transaction::{Endpoint, TransactionReceiver};
use rsipstack::transport::transport_layer::DomainResolver;
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, TransportLayer};
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::watch;
use tracing::{info, warn};

use super::options::{VoiceOptions, VoiceTransport};
use super::tls::Tls;

/// How long a registration is asked for; trunks grant less where they want.
const REGISTRATION: u32 = 300;

/// Shortest and longest pause before another try to register.
const RETRY_FIRST: Duration = Duration::from_secs(2);
const RETRY_MAX: Duration = Duration::from_mins(2);

/// Shortest time after which a registration is renewed.
const RENEW_MIN: Duration = Duration::from_secs(10);

const USER_AGENT: &str = concat!("Rollcall/", env!("CARGO_PKG_VERSION"));

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub(super) enum TrunkError {
    #[error("the trunk's name cannot be resolved")]
    Resolve(#[source] std::io::Error),
    #[error("the trunk's name has no address")]
    NoAddress,
    #[error("no socket can be opened")]
    Socket(#[source] std::io::Error),
    #[error("the SIP stack did not start")]
    Sip(#[from] rsipstack::Error),
}

/// A running endpoint. Ends when dropped.
pub(super) struct Trunk {
    pub(super) dialogs: Arc<DialogLayer>,
    /// Where requests go.
    pub(super) destination: SipAddr,
    /// Our address as seen by the trunk.
    pub(super) local: SocketAddr,
    /// Turns true with the registration; true from the start where none is wanted.
    pub(super) registered: watch::Receiver<bool>,
    stop: CancellationToken,
}

impl Drop for Trunk {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Trunk {
    /// Finds the trunk, opens the socket and begins to register. The registration itself comes later.
    pub(super) async fn open(
        options: &VoiceOptions,
        tls: Option<&Tls>,
    ) -> Result<Self, TrunkError> {
        let remote = resolve(&options.host, options.port()).await?;
        if let Some(tls) = tls {
            tls.use_for(remote);
        }
        let bind = match options.bind {
            Some(bind) if !bind.ip().is_unspecified() => bind,
            bind => SocketAddr::new(way_to(remote).await?, bind.map_or(0, |bind| bind.port())),
        };
        let stop = CancellationToken::new();
        let layer =
            TransportLayer::new_with_domain_resolver(stop.child_token(), Box::new(SystemResolver));
        let socket = UdpConnection::create_connection(bind, None, Some(stop.child_token())).await?;
        let local = socket.get_addr().get_socketaddr()?;
        layer.add_transport(socket.into());
        let endpoint = EndpointBuilder::new()
            .with_user_agent(USER_AGENT)
            .with_cancel_token(stop.clone())
            .with_transport_layer(layer)
            .with_allows(vec![
                Method::Invite,
                Method::Ack,
                Method::Cancel,
                Method::Bye,
                Method::Info,
                Method::Options,
            ])
            .build();
        let incoming = endpoint.incoming_transactions()?;
        let dialogs = Arc::new(DialogLayer::new(Arc::clone(&endpoint.inner)));
        let (registered, seen) = watch::channel(!options.register);
        tokio::spawn(answer(Arc::clone(&dialogs), incoming));
        if options.register {
            tokio::spawn(keep_registered(
                Arc::clone(&endpoint.inner),
                options.clone(),
                remote,
                registered,
                stop.clone(),
            ));
        }
        tokio::spawn(serve(endpoint));
        let destination = SipAddr { r#type: Some(transport(options)), addr: remote.into() };
        Ok(Self { dialogs, destination, local, registered: seen, stop })
    }
}

/// What SIP is carried by, in the library's words.
pub(super) fn transport(options: &VoiceOptions) -> Transport {
    match options.transport {
        VoiceTransport::Udp => Transport::Udp,
        VoiceTransport::Tcp => Transport::Tcp,
        VoiceTransport::Tls => Transport::Tls,
    }
}

/// The URI of a user at the trunk, with its transport.
#[expect(clippy::result_large_err, reason = "the library's error is as large as it is")]
pub(super) fn uri(options: &VoiceOptions, user: &str) -> rsipstack::Result<Uri> {
    // Through the options' own words: neither can hold what would end a URI, as settings are checked there.
    let at = if user.is_empty() { "" } else { "@" };
    let bracketed = options.host.parse::<Ipv6Addr>().is_ok();
    let host = if bracketed { format!("[{}]", options.host) } else { options.host.clone() };
    let port = options.port.map(|port| format!(":{port}")).unwrap_or_default();
    let carried = match options.transport {
        VoiceTransport::Udp => "",
        VoiceTransport::Tcp => ";transport=tcp",
        VoiceTransport::Tls => ";transport=tls",
    };
    Ok(Uri::try_from(format!("sip:{user}{at}{host}{port}{carried}"))?)
}

pub(super) fn credential(options: &VoiceOptions) -> Option<Credential> {
    options.credentials.as_ref().map(|credentials| Credential {
        username: credentials.username.clone(),
        password: credentials.password.clone(),
        realm: None,
        auth_username: None,
    })
}

async fn resolve(host: &str, port: u16) -> Result<SocketAddr, TrunkError> {
    let mut found = lookup_host((host, port)).await.map_err(TrunkError::Resolve)?;
    found.next().ok_or(TrunkError::NoAddress)
}

/// The local address of the way to `remote`. Sends nothing.
async fn way_to(remote: SocketAddr) -> Result<IpAddr, TrunkError> {
    let any: IpAddr = match remote {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(TrunkError::Socket)?;
    socket.connect(remote).await.map_err(TrunkError::Socket)?;
    Ok(socket.local_addr().map_err(TrunkError::Socket)?.ip())
}

async fn serve(endpoint: Endpoint) {
    endpoint.serve().await;
}

/// Answers requests of the trunk: those of a call go to the call, a sign of life is returned, and
/// nobody can call us.
async fn answer(dialogs: Arc<DialogLayer>, mut incoming: TransactionReceiver) {
    while let Some(mut transaction) = incoming.recv().await {
        let dialog = dialogs.match_dialog(&transaction);
        tokio::spawn(async move {
            let done = match dialog {
                Some(mut dialog) => dialog.handle(&mut transaction).await,
                None => decline(&mut transaction).await,
            };
            if done.is_err() {
                // The error may name a number; the kind of request is enough to look into it.
                warn!(method = %transaction.original.method, "a request of the trunk was not answered");
            }
        });
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of the library's many, these matter")]
async fn decline(transaction: &mut Transaction) -> rsipstack::Result<()> {
    let status = match transaction.original.method {
        Method::Options => StatusCode::OK,
        Method::Invite => StatusCode::Decline,
        Method::Bye | Method::Cancel | Method::Info => StatusCode::CallTransactionDoesNotExist,
        _ => StatusCode::MethodNotAllowed,
    };
    transaction.reply(status).await
}

/// Registers, and again before the registration ends, until the trunk is dropped.
async fn keep_registered(
    endpoint: rsipstack::transaction::endpoint::EndpointInnerRef,
    options: VoiceOptions,
    remote: SocketAddr,
    registered: watch::Sender<bool>,
    stop: CancellationToken,
) {
    let mut registration = Registration::new(endpoint, credential(&options));
    registration.outbound_proxy = Some(remote);
    let mut retry = RETRY_FIRST;
    loop {
        let pause = match register(&mut registration, &options).await {
            Ok(granted) => {
                if !registered.send_replace(true) {
                    info!(trunk = options.host, granted_s = granted.as_secs(), "registered");
                }
                retry = RETRY_FIRST;
                (granted * 8 / 10).max(RENEW_MIN)
            }
            Err(reason) => {
                registered.send_replace(false);
                warn!(trunk = options.host, reason, "not registered; will try again");
                let pause = retry;
                retry = (retry * 2).min(RETRY_MAX);
                pause
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn register(
    registration: &mut Registration,
    options: &VoiceOptions,
) -> Result<Duration, String> {
    let server = uri(options, "").map_err(|error| error.to_string())?;
    let response = registration.register(server, Some(REGISTRATION)).await;
    match response {
        Ok(response) if response.status_code == StatusCode::OK => {
            Ok(Duration::from_secs(registration.expires().into()))
        }
        Ok(response) => Err(format!("the trunk answered {}", response.status_code.code())),
        Err(error) => Err(error.to_string()),
    }
}

/// Names are resolved by the system.
struct SystemResolver;

#[async_trait]
impl DomainResolver for SystemResolver {
    async fn resolve(&self, target: &SipAddr) -> rsipstack::Result<SipAddr> {
        let failed = || rsipstack::Error::DnsResolutionError(target.addr.to_string());
        let Host::Domain(name) = &target.addr.host else { return Ok(target.clone()) };
        let port = target.addr.port.as_ref().map_or(5060, rsipstack::sip::Port::value);
        let mut found = lookup_host((name.0.as_str(), port)).await.map_err(|_| failed())?;
        let address = found.next().ok_or_else(failed)?;
        Ok(SipAddr { r#type: target.r#type, addr: HostWithPort::from(address) })
    }
}
