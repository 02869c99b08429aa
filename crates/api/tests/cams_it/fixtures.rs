//! Requests captured from the official SDKs, made with keys that are no secret.

use std::sync::LazyLock;

use api::cams::parameters::{ParameterFault, Parameters};
use api::cams::signature::Wire;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::Value;

/// Key, secret and token that the captures are signed with.
pub(crate) const KEY_ID: &str = "LTAI5tFakeAccessKeyId001";
pub(crate) const SECRET: &str = "FakeAccessKeySecretForTests0001";
pub(crate) const TOKEN: &str = "FakeStsToken/abc+def==";

pub(crate) static VECTORS: LazyLock<Vec<Vector>> = LazyLock::new(|| {
    let vectors = FILE["vectors"].as_array().unwrap();
    let vectors: Vec<_> = vectors.iter().map(Vector::of).collect();
    assert_eq!(FILE["vectorCount"], vectors.len());
    vectors
});

pub(crate) static FILE: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../fixtures/cams/signature-vectors.json")).unwrap()
});

/// A captured request and what it must come to.
#[derive(Debug, Clone)]
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) operation: String,
    pub(crate) is_v3: bool,
    pub(crate) is_temporary: bool,
    pub(crate) clock: String,
    pub(crate) nonce: String,
    pub(crate) string_to_sign: String,
    pub(crate) request: Captured,
}

/// A request as it was captured.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Vector {
    fn of(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let request = &value["request"];
        let mut headers = HeaderMap::new();
        for header in request["headers"].as_array().unwrap() {
            let name = HeaderName::from_bytes(text(&header[0]).as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(&text(&header[1])).unwrap());
        }
        Self {
            id: text(&value["id"]),
            operation: text(&value["operation"]),
            is_v3: value["protocol"] == "ACS3-HMAC-SHA256",
            is_temporary: value["credential"] == "sts",
            clock: text(&value["clock"]),
            nonce: text(&value["nonce"]),
            string_to_sign: text(&value["expected"]["stringToSign"]),
            request: Captured {
                method: text(&request["method"]).parse().unwrap(),
                uri: text(&request["target"]).parse().unwrap(),
                headers,
                body: text(&request["bodyUtf8"]).into_bytes(),
            },
        }
    }

    /// The vector called `id`.
    pub(crate) fn named(id: &str) -> &'static Self {
        VECTORS.iter().find(|vector| vector.id == id).unwrap()
    }
}

impl Captured {
    pub(crate) fn parameters(&self) -> Parameters {
        self.parse().unwrap()
    }

    pub(crate) fn parse(&self) -> Result<Parameters, ParameterFault> {
        Parameters::parse(self.uri.query().unwrap_or_default().as_bytes(), &self.body)
    }

    pub(crate) fn wire<'r>(&'r self, parameters: &'r Parameters) -> Wire<'r> {
        let Self { method, uri, headers, body } = self;
        Wire { method, uri, headers, parameters, body }
    }
}
