//! Callbacks from a server as a process to an endpoint in the test.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use sha2::Sha256;

use crate::gateway::Gateway;
use crate::harness::{PATIENCE, Served, options};

/// A post as it arrived: header fields and body.
type Post = (HeaderMap, String);

#[derive(Clone, Default)]
struct Endpoint {
    posts: Arc<Mutex<Vec<Post>>>,
    failing: Arc<Mutex<bool>>,
}

impl Endpoint {
    async fn serve(&self) -> Served {
        let take = async |State(endpoint): State<Self>, headers: HeaderMap, body: String| {
            endpoint.posts.lock().unwrap().push((headers, body));
            if *endpoint.failing.lock().unwrap() {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::NO_CONTENT
            }
        };
        let router = Router::new().route("/hook", post(take)).with_state(self.clone());
        Served::start(router, options()).await
    }

    fn set_failing(&self, failing: bool) {
        *self.failing.lock().unwrap() = failing;
    }

    /// The `n`th post, once it is there.
    async fn post(&self, n: usize) -> Post {
        let arrived = async {
            loop {
                if let Some(post) = self.posts.lock().unwrap().get(n) {
                    return post.clone();
                }
                tokio::time::sleep(core::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, arrived).await.expect("it is posted in time")
    }

    fn count(&self) -> usize {
        self.posts.lock().unwrap().len()
    }
}

fn field(post: &Post, name: &str) -> String {
    post.0[name].to_str().unwrap().to_owned()
}

impl Gateway {
    async fn state(&self) -> (String, u64) {
        let page = self.shown("/admin/v1/callbacks").await;
        let it = &page["items"][0];
        (it["state"].as_str().unwrap().to_owned(), it["attempts"].as_u64().unwrap())
    }

    async fn await_state(&self, wanted: &str) {
        let reached = async {
            while self.state().await.0 != wanted {
                tokio::time::sleep(core::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("it comes to this state in time");
    }
}

#[tokio::test]
async fn a_callback_survives_a_failing_endpoint_and_a_killed_server() {
    let endpoint = Endpoint::default();
    endpoint.set_failing(true);
    let served = endpoint.serve().await;
    let mut gateway = Gateway::start("").await;
    let space = gateway.shown("/admin/v1/spaces").await["items"][0]["id"].clone();
    let space = space.as_str().unwrap();
    let url = format!("StatusCallbackUrl=http%3A%2F%2F{}%2Fhook", served.address);
    let url =
        url.replace(&served.address.to_string(), &served.address.to_string().replace(':', "%3A"));
    let set = gateway.call("UpdateAccountWebhook", &format!("CustSpaceId={space}&{url}")).await;
    assert_eq!(set, "OK");
    let add = format!("Cc=44&CustSpaceId={space}&PhoneNumber=7700900123&VerifiedName=Shrub");
    assert_eq!(gateway.call("AddChatappPhoneNumber", &add).await, "OK");

    let first = endpoint.post(0).await;
    gateway.await_state("due").await;
    assert_eq!(gateway.state().await, ("due".to_owned(), 1));
    gateway.kill_and_restart().await;
    assert_eq!(endpoint.count(), 1, "not before it is due");
    endpoint.set_failing(false);
    gateway.set_clock("2027-01-15T08:00:06Z").await;
    let second = endpoint.post(1).await;
    gateway.await_state("delivered").await;

    assert_eq!(first.1, second.1);
    let id = "x-rollcall-callback-id";
    assert_eq!(field(&first, id), field(&second, id));
    let path = format!("/admin/v1/webhooks/cams/space/{space}/secret");
    let secret = gateway.shown(&path).await["secret"].as_str().unwrap().to_owned();
    for post in [&first, &second] {
        let signed =
            format!("{}.{}.{}", field(post, id), field(post, "x-rollcall-timestamp"), post.1);
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        assert_eq!(field(post, "x-rollcall-signature-256"), expected);
    }
    let told: Value = serde_json::from_str(&second.1).unwrap();
    assert_eq!(
        (&told[0]["Event"], &told[0]["PhoneNumber"]),
        (&"number_added".into(), &"447700900123".into())
    );
    assert_eq!(endpoint.count(), 2);
}

#[tokio::test]
async fn an_endpoint_on_this_machine_is_refused_where_the_operator_says_so() {
    let endpoint = Endpoint::default();
    let served = endpoint.serve().await;
    let gateway = Gateway::start("[callbacks]\nloopback = false\n").await;
    let space = gateway.shown("/admin/v1/spaces").await["items"][0]["id"].clone();
    let space = space.as_str().unwrap();
    let url =
        format!("StatusCallbackUrl=http%3A%2F%2Flocalhost%3A{}%2Fhook", served.address.port());
    let set = gateway.call("UpdateAccountWebhook", &format!("CustSpaceId={space}&{url}")).await;
    assert_eq!(set, "OK");
    let add = format!("Cc=44&CustSpaceId={space}&PhoneNumber=7700900123&VerifiedName=Shrub");
    assert_eq!(gateway.call("AddChatappPhoneNumber", &add).await, "OK");
    let noted = async {
        loop {
            let note = gateway.shown("/admin/v1/callbacks").await["items"][0]["note"].clone();
            if let Some(note) = note.as_str() {
                return note.to_owned();
            }
            tokio::time::sleep(core::time::Duration::from_millis(20)).await;
        }
    };
    let note = tokio::time::timeout(PATIENCE, noted).await.expect("it is tried in time");
    assert!(
        note.starts_with("refused: localhost has no address that callbacks may go to here"),
        "{note}"
    );
    assert_eq!(endpoint.count(), 0);
}
