//! The binary from start to end.

use std::os::unix::fs::PermissionsExt as _;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::harness::{Rollcall, read_all, read_until, status, within};

const OPERATIONS: &str = include_str!("../../../../docs/operations.md");

#[tokio::test]
async fn it_says_where_it_listens_answers_and_ends_with_zero() {
    let data = tempfile::tempdir().unwrap();
    let server = Rollcall::serve(data.path(), &[]);
    assert_ne!(server.address.port(), 0);
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    assert_eq!(status(&read_all(&mut stream).await), 200);
    let token = std::fs::metadata(data.path().join("operator.token")).unwrap();
    assert_eq!((token.len(), token.permissions().mode() & 0o777), (65, 0o600));
    server.signal("TERM");
    let (ended, rest) = server.ended();
    assert_eq!((ended.code(), rest.as_str()), (Some(0), ""));
}

/// A request whose body the server waits for.
async fn begin(server: &Rollcall) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head =
        "POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // From here on the request is in flight.
    assert_eq!(status(&read_until(&mut stream, "\r\n\r\n").await), 100);
    stream
}

#[tokio::test]
async fn a_signal_lets_the_request_in_flight_finish() {
    for signal in ["TERM", "INT"] {
        let data = tempfile::tempdir().unwrap();
        let mut server = Rollcall::serve(data.path(), &[]);
        let mut stream = begin(&server).await;
        server.signal(signal);
        server.await_log("stopping");
        stream.write_all(b"ok").await.unwrap();
        assert_eq!(status(&read_all(&mut stream).await), 405);
        assert_eq!(server.ended().0.code(), Some(0), "{signal}");
    }
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Rollcall::serve(data.path(), &[]);
    let mut stream = begin(&server).await;
    server.signal("TERM");
    server.await_log("stopping");
    server.signal("TERM");
    assert_eq!(read_all(&mut stream).await, "");
    assert_eq!(server.ended().0.code(), Some(1));
}

#[tokio::test]
async fn two_servers_do_not_share_a_folder() {
    let data = tempfile::tempdir().unwrap();
    let first = Rollcall::serve(data.path(), &[]);
    let second = Rollcall::serve_to_end(data.path(), &[]);
    let words = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{words}");
    assert!(words.contains(&format!("(process {})", first.id())), "{words}");
    // A server that was killed leaves the folder free.
    first.signal("KILL");
    first.ended();
    let third = Rollcall::serve(data.path(), &[]);
    within(TcpStream::connect(third.address)).await.unwrap();
}

#[tokio::test]
async fn behind_a_proxy_one_callers_wrong_passwords_do_not_keep_another_out() {
    let data = tempfile::tempdir().unwrap();
    let config = data.path().join("rollcall.toml");
    // As the manual has it.
    let (_, page) = OPERATIONS.split_once("## Behind a reverse proxy").unwrap();
    let (settings, _) = page.split_once("```toml\n").unwrap().1.split_once("```").unwrap();
    std::fs::write(&config, settings).unwrap();
    let server = Rollcall::serve(data.path(), &["--config", config.to_str().unwrap()]);
    server::tls::install_provider();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let login = async |password: &str, from: &str| {
        let request = client.post(format!("http://{}/v1/users/login", server.address));
        let request = request.basic_auth("admin", Some(password));
        let request = request.header("x-forwarded-for", format!("203.0.113.5, {from}"));
        let request = request.body(r#"{"new_password":"Sandbox-1!"}"#);
        within(request.send()).await.unwrap().status().as_u16()
    };
    for _ in 0..10 {
        assert_eq!(login("wrong", "192.0.2.1").await, 401);
    }
    assert_eq!(login("secret", "192.0.2.1").await, 429);
    assert_eq!(login("secret", "192.0.2.2").await, 200);
}

#[test]
fn damage_to_the_database_is_not_put_down_to_the_key() {
    let data = tempfile::tempdir().unwrap();
    let server = Rollcall::serve(data.path(), &[]);
    server.signal("TERM");
    server.ended();
    let path = data.path().join("rollcall.db");
    let mut pages = std::fs::read(&path).unwrap();
    // The first page, which says what is where, stays.
    pages.iter_mut().skip(4096).for_each(|byte| *byte = 0xA5);
    std::fs::write(&path, pages).unwrap();
    let failed = Rollcall::serve_to_end(data.path(), &[]);
    let words = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(failed.status.code(), Some(1), "{words}");
    assert!(words.contains("malformed") && !words.contains("belong together"), "{words}");
}

#[test]
fn a_server_does_not_start_with_the_key_of_another_installation() {
    let (ours, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&ours, &others] {
        let server = Rollcall::serve(folder.path(), &[]);
        server.signal("TERM");
        server.ended();
    }
    let key = ours.path().join("rollcall.key");
    let own = std::fs::read(&key).unwrap();
    std::fs::copy(others.path().join("rollcall.key"), &key).unwrap();
    let failed = Rollcall::serve_to_end(ours.path(), &[]);
    let words = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(failed.status.code(), Some(1), "{words}");
    assert!(words.contains("rollcall.key and the database in"), "{words}");
    assert!(words.contains("epoch 1 is not the one that this database was made with"), "{words}");
    // Nothing was changed: with its own key it starts.
    std::fs::write(&key, own).unwrap();
    let server = Rollcall::serve(ours.path(), &[]);
    server.signal("TERM");
    assert_eq!(server.ended().0.code(), Some(0));
}

#[test]
fn an_address_in_use_is_named() {
    let data = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let failed = Rollcall::serve_to_end(data.path(), &["--listen-https", &address]);
    let words = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(failed.status.code(), Some(1));
    assert!(words.contains(&format!("cannot listen on {address}: another program")), "{words}");
}

#[test]
fn a_seed_is_checked_before_anything_is_touched() {
    let parent = tempfile::tempdir().unwrap();
    let (data, seed) = (parent.path().join("data"), parent.path().join("seed.toml"));
    std::fs::write(&seed, "[[account]\n").unwrap();
    let path = seed.to_str().unwrap();
    for (arguments, words) in [
        (vec!["--seed", path], "has mistakes"),
        (vec!["--seed", path, "--mode", "production"], "--seed is for a sandbox"),
        (vec!["--seed", "/nowhere/seed.toml"], "cannot read the seed file"),
    ] {
        let failed = Rollcall::serve_to_end(&data, &arguments);
        let said = String::from_utf8(failed.stderr).unwrap();
        assert_eq!(failed.status.code(), Some(1));
        assert!(said.contains(words), "{said}");
        assert!(!data.exists());
    }
}
