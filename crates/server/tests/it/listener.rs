//! What reaches a handler, what does not, and how serving ends.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Extension, Path};
use axum::routing::{any, get};
use http::uri::Scheme;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::listener::{Drained, Options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;

use crate::harness::{Served, greeter, options, read_all, read_until, status, within};

fn post(length: usize) -> Vec<u8> {
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    let mut request = head.into_bytes();
    request.resize(request.len() + length, b'x');
    request
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_served_and_a_larger_one_refused() {
    let server = Served::start(greeter(), Options { body_max: 100_000, ..options() }).await;
    for (length, expected) in [(0, 200), (100_000, 200), (100_001, 413), (10 << 20, 413)] {
        let mut stream = server.connect().await;
        // Also a refused client can send everything, and then reads why it was refused.
        within(stream.write_all(&post(length))).await.unwrap();
        let head = read_until(&mut stream, "\r\n\r\n").await;
        assert_eq!(status(&head), expected, "{length} bytes");
    }
}

#[tokio::test]
async fn a_large_body_without_a_length_is_refused_too() {
    let server = Served::start(greeter(), options()).await;
    let mut request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..160 {
        request.extend_from_slice(b"10000\r\n");
        request.resize(request.len() + 0x10000, b'x');
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(status(&server.exchange(&request).await), 413);
}

#[tokio::test]
async fn a_common_client_sees_the_refusal_of_a_large_body() {
    let server = Served::start(greeter(), options()).await;
    server::tls::install_provider();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/", server.address);
    let answer = within(client.post(url).body(vec![b'x'; 10 << 20]).send()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn too_many_or_too_large_headers_are_refused() {
    let server = Served::start(greeter(), options()).await;
    let many = |count: usize| {
        let fields = "X-Filler: 1\r\n".repeat(count);
        format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n")
    };
    let large = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Large: {}\r\n\r\n", "x".repeat(1 << 20));
    for (request, expected) in
        [(many(98), 200), (many(99), 431), (many(100_000), 431), (large, 431)]
    {
        let answer = server.exchange(request.as_bytes()).await;
        assert_eq!(status(&answer), expected, "{} bytes", request.len());
    }
}

#[tokio::test]
async fn odd_requests_get_a_client_error() {
    let router = greeter().route("/number/{n}", get(async |Path(n): Path<String>| n));
    let server = Served::start(router, options()).await;
    let requests: [(&[u8], u16); 8] = [
        (b"BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
        (b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /number/%ff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400),
        (b"GET /number/\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", 400),
    ];
    for (request, expected) in requests {
        let answer = server.exchange(request).await;
        assert_eq!(status(&answer), expected, "{}", String::from_utf8_lossy(request));
    }
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let panics = get(async || -> &'static str { panic!("a bug") });
    let server = Served::start(greeter().route("/bug", panics), options()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /bug HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(status(&read_until(&mut stream, "on the server").await), 500);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert_eq!(status(&read_until(&mut stream, "hello").await), 200);
}

#[tokio::test]
async fn a_handler_sees_the_peer_and_the_scheme() {
    let handler = async |ConnectInfo(peer): ConnectInfo<SocketAddr>, scheme: Extension<Scheme>| {
        format!("{peer} {}", *scheme)
    };
    let server = Served::start(Router::new().route("/", get(handler)), options()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let expected = format!("{} http", stream.local_addr().unwrap());
    assert!(read_all(&mut stream).await.ends_with(&expected));
}

#[tokio::test]
async fn http2_is_understood_on_the_plain_port() {
    let server = Served::start(greeter(), options()).await;
    let io = TokioIo::new(server.connect().await);
    let (mut requests, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("http://a/").body(Empty::<&[u8]>::new()).unwrap();
    let answer = within(requests.send_request(request)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(within(answer.into_body().collect()).await.unwrap().to_bytes(), "hello");
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_for_their_turn() {
    let server = Served::start(greeter(), Options { connections_max: 1, ..options() }).await;
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut first = server.connect().await;
    first.write_all(request).await.unwrap();
    read_until(&mut first, "hello").await;
    let mut second = server.connect().await;
    second.write_all(request).await.unwrap();
    {
        let mut waiting = std::pin::pin!(read_until(&mut second, "hello"));
        for _ in 0..20 {
            first.write_all(request).await.unwrap();
            tokio::select! {
                biased;
                answer = waiting.as_mut() => panic!("served beyond the cap: {answer}"),
                _ = read_until(&mut first, "hello") => {}
            }
        }
        drop(first);
        assert_eq!(status(&waiting.await), 200);
    }
}

#[tokio::test]
async fn one_source_cannot_take_the_connections_of_others() {
    let bounds = Options { connections_per_source_max: 2, uncounted: Vec::new(), ..options() };
    let server = Served::start(greeter(), bounds).await;
    let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = connect_from("127.0.0.1", server.address).await;
        stream.write_all(request).await.unwrap();
        read_until(&mut stream, "hello").await;
        held.push(stream);
    }
    for _ in 0..10 {
        let mut stream = connect_from("127.0.0.1", server.address).await;
        _ = stream.write_all(request).await;
        assert_eq!(read_all(&mut stream).await, "", "no answer beyond the cap");
    }
    let mut other = connect_from("127.0.0.2", server.address).await;
    other.write_all(request).await.unwrap();
    assert_eq!(status(&read_until(&mut other, "hello").await), 200);
    // What is closed makes room; when the server has seen that is its own affair.
    held.pop();
    within(async {
        loop {
            let mut stream = connect_from("127.0.0.1", server.address).await;
            _ = stream.write_all(request).await;
            if matches!(stream.read_u8().await, Ok(b'H')) {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn this_machine_is_not_one_source_unless_the_operator_says_so() {
    let server =
        Served::start(greeter(), Options { connections_per_source_max: 1, ..options() }).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        read_until(&mut stream, "hello").await;
        held.push(stream);
    }
}

async fn connect_from(source: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
    within(socket.connect(to)).await.unwrap()
}

#[tokio::test]
async fn large_bodies_wait_for_room_and_small_ones_do_not() {
    let (gate, reached, released) = gate();
    let router = gate.route("/len", post_length());
    let bounds = Options { body_max: 100_000, bodies_max: 100_000, ..options() };
    let server = Served::start(router, bounds).await;
    let mut first = server.connect().await;
    first.write_all(&post(100_000)).await.unwrap();
    within(reached.notified()).await;
    let (large, small) = (sent_to("/len", 90_000), sent_to("/len", 16 * 1024));
    let mut second = server.connect().await;
    second.write_all(&large).await.unwrap();
    let mut third = server.connect().await;
    {
        let mut waiting = std::pin::pin!(read_until(&mut second, "90000"));
        for _ in 0..20 {
            third.write_all(&small).await.unwrap();
            tokio::select! {
                biased;
                answer = waiting.as_mut() => panic!("received beyond the room: {answer}"),
                _ = read_until(&mut third, "16384") => {}
            }
        }
        released.notify_one();
        read_until(&mut first, "finished").await;
        assert_eq!(status(&waiting.await), 200);
    }
}

fn post_length() -> axum::routing::MethodRouter {
    axum::routing::post(async |body: axum::body::Bytes| body.len().to_string())
}

fn sent_to(path: &str, length: usize) -> Vec<u8> {
    let request = String::from_utf8(post(length)).unwrap();
    request.replacen("POST / ", &format!("POST {path} "), 1).into_bytes()
}

/// A route that tells when it was reached and answers when it is let go.
fn gate() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (reached, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&reached), Arc::clone(&released));
    let handler = any(async move || {
        tell.notify_one();
        wait.notified().await;
        "finished"
    });
    (Router::new().route("/", handler), reached, released)
}

#[tokio::test]
async fn stopping_finishes_what_is_in_flight_and_takes_nothing_new() {
    let (router, reached, released) = gate();
    let server = Served::start(router, options()).await;
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    within(reached.notified()).await;
    server.stop.request();
    assert_eq!(read_all(&mut idle).await, "");
    let refused = within(TcpStream::connect(server.address)).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    released.notify_one();
    let answer = read_all(&mut busy).await;
    assert_eq!(status(&answer), 200);
    assert!(answer.ends_with("finished") && answer.contains("connection: close"), "{answer}");
    assert_eq!(server.ended().await, Drained::Finished);
}

#[tokio::test]
async fn stopping_does_not_wait_forever() {
    let (router, reached, _) = gate();
    let drain_timeout = core::time::Duration::from_millis(50);
    let server = Served::start(router, Options { drain_timeout, ..options() }).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    within(reached.notified()).await;
    server.stop.request();
    assert_eq!(read_all(&mut busy).await, "");
    assert_eq!(server.ended().await, Drained::TimedOut);
}

#[tokio::test]
async fn insisting_ends_at_once() {
    let (router, reached, _) = gate();
    let server = Served::start(router, options()).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    within(reached.notified()).await;
    server.stop.force();
    assert_eq!(server.ended().await, Drained::Forced);
}
