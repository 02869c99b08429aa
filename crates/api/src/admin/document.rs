//! The OpenAPI 3.1 document of the admin API, made of the same table as its routes.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use service::idempotency::KEY_CHARS_MAX;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, License, OpenApi, RefOr, Server};

/// The document as it is committed: indented, with a line break at its end.
#[must_use]
pub fn openapi_json() -> String {
    // The document is a plain tree of text, lists and maps.
    let mut text = document().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// `GET /openapi.json`.
pub async fn openapi() -> Response {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| openapi_json().into());
    ([(header::CONTENT_TYPE, "application/json")], TEXT.clone()).into_response()
}

/// What each operation does, in the order of the table: method, path, words.
pub(crate) fn summaries() -> Vec<(&'static str, &'static str, String)> {
    let paths = document().paths.paths;
    let summary = |it: &super::Operation| {
        let item = paths.get(it.path)?;
        let found = match it.method {
            "get" => item.get.as_ref(),
            "post" => item.post.as_ref(),
            "put" => item.put.as_ref(),
            "patch" => item.patch.as_ref(),
            _ => item.delete.as_ref(),
        };
        found?.summary.clone()
    };
    let row = |it: &super::Operation| (it.method, it.path, summary(it).unwrap_or_default());
    super::OPERATIONS.iter().map(row).collect()
}

fn document() -> OpenApi {
    let mut document = super::Described::openapi();
    document.info = InfoBuilder::new()
        .title("Rollcall admin API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(License::new("Apache-2.0")))
        .build();
    document.servers = Some(vec![Server::new("/admin/v1")]);
    document.security = Some(vec![SecurityRequirement::new("operator", Vec::<String>::new())]);
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                complete(operation, method, path);
            }
        }
    }
    if let Some(components) = &mut document.components {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("operator", scheme);
    }
    document
}

/// Adds what the attributes of the handlers do not say: a name that is unique, and words for success.
fn complete(operation: &mut Operation, method: &str, path: &str) {
    let named = super::OPERATIONS.iter().find(|it| it.method == method && it.path == path);
    operation.operation_id = named.map(|it| it.id.to_owned());
    if method != "get" {
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .description(Some("A repetition under the same key is answered as the first request."))
            .schema(Some(
                ObjectBuilder::new().schema_type(Type::String).max_length(Some(KEY_CHARS_MAX)),
            ))
            .build();
        operation.parameters.get_or_insert_default().push(RefOr::T(key));
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let words = match status.as_str() {
                "201" => "Made",
                "204" => "Gone",
                _ => "Done",
            };
            words.clone_into(&mut response.description);
        }
    }
}

const DESCRIPTION: &str = "\
The operator's API of a Rollcall server. Authorization: `Bearer` and the token in `operator.token` of the \
data folder. Every error has the form of `ErrorBody`; a refusal names its rule, links its explanation and \
says when it opens. Lists come in pages; unknown fields and parameters are refused by name. \
`Idempotency-Key` (up to 255 characters, remembered for 24 hours, parameters compared) makes a repeated \
POST, PUT, PATCH or DELETE answer as the first one did, with `Idempotency-Replayed: true`.";
