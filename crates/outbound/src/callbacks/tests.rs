//! Real connections to endpoints on this machine.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// An endpoint that keeps the requests and gives each the same answer.
struct Endpoint {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Endpoint {
    async fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let (kept, count) = (Arc::clone(&requests), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let mut read = Vec::new();
                    let mut chunk = [0; 4096];
                    // A test's post has a body that ends in `]`; a question has none.
                    let is_whole = |read: &[u8]| {
                        read.ends_with(b"]")
                            || read.starts_with(b"GET") && read.ends_with(b"\r\n\r\n")
                    };
                    while !is_whole(&read) {
                        match stream.read(&mut chunk).await {
                            Ok(0) | Err(_) => return,
                            Ok(n) => read.extend_from_slice(&chunk[..n]),
                        }
                    }
                    kept.lock().expect("unharmed").push(String::from_utf8_lossy(&read).into());
                    if stream.write_all(answer.as_bytes()).await.is_ok() && answer.is_empty() {
                        core::future::pending::<()>().await;
                    }
                });
            }
        });
        Self { port, requests, connections }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("unharmed").clone()
    }
}

fn client(lookup: Arc<Lookup>) -> HttpCallbacks {
    _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let options =
        Options { connect_timeout: Duration::from_secs(5), timeout: Duration::from_secs(2) };
    HttpCallbacks::new(options, lookup)
}

fn post(url: String, reach: Reach) -> CallbackPost {
    CallbackPost {
        url,
        headers: vec![("X-Rollcall-Callback-Id", "7".to_owned())],
        body: "[1]".to_owned(),
        reach,
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_post_arrives_with_its_header_fields_and_its_status_comes_back() {
    let endpoint =
        Endpoint::answering("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nhi").await;
    let client = client(system_lookup());
    let url = format!("http://localhost:{}/a?b=c", endpoint.port);
    assert_eq!(client.post(&post(url, Reach::MACHINE)).await, Ok(202));
    let request = endpoint.requests().remove(0);
    let lower = request.to_ascii_lowercase();
    assert!(request.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{request}");
    assert!(lower.contains("\r\nx-rollcall-callback-id: 7\r\n"), "{request}");
    assert!(lower.contains("\r\ncontent-type: application/json;charset=utf-8\r\n"), "{request}");
    assert!(lower.contains("\r\nuser-agent: rollcall/"), "{request}");
    assert!(request.ends_with("\r\n\r\n[1]"), "{request}");
}

#[tokio::test]
async fn forbidden_addresses_get_no_connection_however_they_are_written() {
    let endpoint = Endpoint::answering(OK).await;
    let port = endpoint.port;
    let client = client(system_lookup());
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "[fe80::1]",
        "10.0.0.1",
        "[fd00::1]",
    ] {
        let refused = client.post(&post(format!("http://{host}:{port}/"), Reach::PUBLIC)).await;
        assert!(matches!(refused, Err(CallbackError::Refused(_))), "{host}: {refused:?}");
    }
    assert_eq!(endpoint.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_is_checked_anew_for_each_attempt() {
    let endpoint = Endpoint::answering(OK).await;
    let (port, asked) = (endpoint.port, Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    // What was allowed the first time points to a private address the second time.
    let lookup: Arc<Lookup> = Arc::new(move |_| {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        let address = if first { "127.0.0.1:0" } else { "10.0.0.1:0" };
        Box::pin(async move { Ok(vec![address.parse().expect("an address")]) })
    });
    let client = client(lookup);
    let url = || format!("http://rebinding.example:{port}/");
    assert_eq!(client.post(&post(url(), Reach::MACHINE)).await, Ok(200));
    let second = client.post(&post(url(), Reach::MACHINE)).await;
    assert!(matches!(second, Err(CallbackError::Refused(_))), "{second:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 2, "no connection and no answer is kept");
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_ones_are_tried() {
    let endpoint = Endpoint::answering(OK).await;
    let lookup: Arc<Lookup> = Arc::new(|_| {
        let all = ["169.254.169.254:0", "10.0.0.1:0", "127.0.0.1:0"];
        Box::pin(async move { Ok(all.map(|it| it.parse().expect("an address")).to_vec()) })
    });
    let url = format!("http://mixed.example:{}/", endpoint.port);
    assert_eq!(client(lookup).post(&post(url, Reach::MACHINE)).await, Ok(200));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let target = Endpoint::answering(OK).await;
    let location = format!("http://127.0.0.1:{}/", target.port);
    let answer = format!("HTTP/1.1 307 X\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let endpoint = Endpoint::answering(Box::leak(answer.into_boxed_str())).await;
    let url = format!("http://127.0.0.1:{}/", endpoint.port);
    assert_eq!(client(system_lookup()).post(&post(url, Reach::MACHINE)).await, Ok(307));
    assert_eq!(target.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn silence_ends_with_the_time_out_and_an_endless_answer_with_its_bound() {
    let client = client(system_lookup());
    let silent = Endpoint::answering("").await;
    let url = format!("http://127.0.0.1:{}/", silent.port);
    let failed = client.post(&post(url, Reach::MACHINE)).await;
    assert_eq!(failed, Err(CallbackError::Failed("no answer in time".to_owned())));
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n".to_owned();
    let endless = Box::leak((head + &"x".repeat(ANSWER_BYTES_MAX + 9)).into_boxed_str());
    let endpoint = Endpoint::answering(endless).await;
    let url = format!("http://127.0.0.1:{}/", endpoint.port);
    assert_eq!(client.post(&post(url, Reach::MACHINE)).await, Ok(200));
}

#[tokio::test]
async fn an_error_says_what_happened_and_not_where_to() {
    let client = client(system_lookup());
    // Taken, and nobody listens.
    let closed = tokio::net::TcpSocket::new_v4().expect("a socket");
    closed.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let port = closed.local_addr().expect("bound").port();
    let url = format!("http://127.0.0.1:{port}/hook?token=secret");
    let failed = client.post(&post(url, Reach::MACHINE)).await;
    let Err(CallbackError::Failed(words)) = failed else { panic!("{failed:?}") };
    assert!(!words.contains("secret"), "{words}");
    assert!(!words.is_empty());
}

#[tokio::test]
async fn a_word_is_asked_for_under_the_same_precautions() {
    let told = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nchallenge";
    let endpoint = Endpoint::answering(told).await;
    let client = client(system_lookup());
    let url = format!("http://127.0.0.1:{}/a?hub.challenge=challenge", endpoint.port);
    assert_eq!(client.ask(&url, Reach::MACHINE).await, Ok("challenge".to_owned()));
    let request = endpoint.requests().remove(0);
    assert!(request.starts_with("GET /a?hub.challenge=challenge HTTP/1.1\r\n"), "{request}");
    let forbidden = client.ask(&url, Reach::PUBLIC).await;
    assert!(matches!(forbidden, Err(CallbackError::Refused(_))), "{forbidden:?}");
    assert_eq!(endpoint.connections.load(Ordering::SeqCst), 1, "no connection where none may go");
    for answer in [
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nchallenge",
        "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
    ] {
        let endpoint = Endpoint::answering(answer).await;
        let url = format!("http://127.0.0.1:{}/", endpoint.port);
        let refused = client.ask(&url, Reach::MACHINE).await;
        assert!(matches!(refused, Err(CallbackError::Failed(_))), "{answer}");
    }
}
