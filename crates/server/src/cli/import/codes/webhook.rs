//! Codes that a gateway posts: an address that is open while the import runs.

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::post;
use http::StatusCode;
use serde_json::{Map, Value};
use tokio::net::TcpListener;

use super::given::{Given, read_object};

/// Most octets of a request: a message and what gateways say about it.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// Takes in what is posted to `path`, until the program ends; gives the address that it really has.
pub(super) async fn listen(
    given: Given,
    address: SocketAddr,
    path: String,
) -> anyhow::Result<SocketAddr> {
    let bound = TcpListener::bind(address).await;
    let listener = bound.with_context(|| format!("cannot take in codes at {address}"))?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route(&path, post(take))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(given);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn take(State(given): State<Given>, body: Bytes) -> StatusCode {
    let object = serde_json::from_slice(&body).unwrap_or_else(|_| form(&body));
    match read_object(&object) {
        Some((number, code)) => {
            given.put(number, code);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// A form as an object of strings.
fn form(body: &[u8]) -> Value {
    let pairs = reqwest::Url::parse("http://form/").map(|mut url| {
        url.set_query(Some(&String::from_utf8_lossy(body)));
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into())).collect()
    });
    Value::Object(pairs.unwrap_or_else(|_| Map::new()))
}

#[cfg(test)]
mod tests {
    use registration::PhoneNumber;

    use super::*;

    #[tokio::test]
    async fn json_and_forms_are_taken_in_at_one_path_alone() {
        crate::tls::install_provider();
        let given = Given::default();
        let any = "127.0.0.1:0".parse().unwrap();
        let address = listen(given.clone(), any, "/s3cret".to_owned()).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let number = PhoneNumber::parse("+447700900123").unwrap();
        for (path, body, status) in [
            ("/s3cret", r#"{"number":"+447700900123","code":"123456"}"#, 204),
            ("/s3cret", "From=Acme&To=%2B447700900123&Body=Your+code+is+123-456", 204),
            ("/s3cret", "To=%2B447700900123&Body=Hello", 422),
            ("/", r#"{"number":"+447700900123","code":"123456"}"#, 404),
        ] {
            let url = format!("http://{address}{path}");
            let answer = http.post(url).body(body).send().await.unwrap();
            assert_eq!(answer.status(), status, "{body}");
            if status == 204 {
                assert!(given.next(number).await.is_some(), "{body}");
            }
        }
    }
}
