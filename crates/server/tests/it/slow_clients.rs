//! Clients that hold a connection by being slow are let go.

use core::time::Duration;

use axum::body::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::listener::Options;
use tokio::io::AsyncWriteExt as _;

use crate::harness::{Served, greeter, options, read_all, read_until, status, within};

const SHORT: Duration = Duration::from_secs(1);

fn hasty() -> Options {
    Options { header_timeout: SHORT, body_timeout: SHORT, ..options() }
}

#[tokio::test]
async fn a_head_that_does_not_arrive_ends_the_connection() {
    let server = Served::start(greeter(), hasty()).await;
    for begun in ["", "G", "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", "PRI * HTTP/2.0\r\n"] {
        let answer = server.exchange(begun.as_bytes()).await;
        assert!(answer.is_empty() || status(&answer) == 408, "{begun:?} got {answer:?}");
    }
}

#[tokio::test]
async fn a_head_that_drips_ends_the_connection() {
    let server = Served::start(greeter(), hasty()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n").await.unwrap();
    let mut every = tokio::time::interval(SHORT / 8);
    let mut drops = 0;
    // The kernel reports the closed connection at a later write.
    while stream.write_all(b"X-Drop: 1\r\n").await.is_ok() {
        drops += 1;
        assert!(drops < 1000, "a dripping head is still listened to");
        every.tick().await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Served::start(greeter(), hasty()).await;
    let answer = server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(status(&answer), 200);
}

#[tokio::test]
async fn an_idle_connection_of_http2_is_closed_though_its_client_answers_pings() {
    let server = Served::start(greeter(), hasty()).await;
    let io = TokioIo::new(server.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let ended = tokio::spawn(connection);
    let ask = || Request::get(format!("http://{}/", server.address)).body(Empty::<Bytes>::new());
    let answer = within(sender.send_request(ask().unwrap())).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    // The client would stay for ever.
    within(ended).await.unwrap().unwrap();
    assert!(sender.send_request(ask().unwrap()).await.is_err());
}

#[tokio::test]
async fn an_answer_that_takes_long_keeps_its_connection() {
    let slow = async || {
        let pieces = futures_util::stream::unfold(0, async |n| {
            tokio::time::sleep(SHORT).await;
            (n < 4).then(|| (Ok::<_, std::convert::Infallible>(format!("{n} ")), n + 1))
        });
        axum::body::Body::from_stream(pieces)
    };
    let router = axum::Router::new().route("/", axum::routing::get(slow));
    let server = Served::start(router, hasty()).await;
    let answer = server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.contains("3 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_a_408() {
    let server = Served::start(greeter(), hasty()).await;
    let begun = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345";
    assert_eq!(status(&server.exchange(begun).await), 408);
}

#[tokio::test]
async fn a_body_that_breaks_off_reaches_no_handler() {
    let server = Served::start(greeter(), options()).await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.is_empty() || status(&answer) == 400, "{answer:?}");
}

#[tokio::test]
async fn a_slow_request_of_one_client_does_not_hold_up_another() {
    let server = Served::start(greeter(), options()).await;
    let mut slow = server.connect().await;
    slow.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1").await.unwrap();
    let quick = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&server.exchange(quick).await), 200);
    slow.write_all(b"2").await.unwrap();
    assert_eq!(status(&read_until(&mut slow, "\r\n\r\n2").await), 200);
}
