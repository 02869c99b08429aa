//! The files that pages name: compiled in, compressed once, and kept by browsers for good, since their
//! address changes with their content.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

/// A file as it is compiled in.
struct Source {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! sources {
    ($($name:literal $kind:literal;)+) => {
        const SOURCES: &[Source] = &[$(Source {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("assets/", $name)),
        }),+];
    };
}

sources! {
    "console.css"   "text/css; charset=utf-8";
    "console.js"    "text/javascript; charset=utf-8";
    "htmx.min.js"   "text/javascript; charset=utf-8";
    "uplot.min.js"  "text/javascript; charset=utf-8";
    "uplot.min.css" "text/css; charset=utf-8";
    "icon.svg"      "image/svg+xml";
}

/// A digest over all files: part of their addresses.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for source in SOURCES {
        digest.update(source.name);
        digest.update(source.bytes);
    }
    hex::encode(&digest.finalize()[..6])
});

static GZIPPED: LazyLock<Vec<Bytes>> =
    LazyLock::new(|| SOURCES.iter().map(|source| gzip(source.bytes)).collect());

/// The part of the address that changes with the files.
pub(super) fn version() -> &'static str {
    &VERSION
}

/// `GET /assets/{version}/{file}`.
pub(super) async fn file(Path((_, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(place) = SOURCES.iter().position(|source| source.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let source = &SOURCES[place];
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let gzip = accepted.is_some_and(|accepted| accepted.contains("gzip"));
    let body = if gzip { GZIPPED[place].clone() } else { Bytes::from_static(source.bytes) };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(source.kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, keep);
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory cannot fail.
    _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the 150 KiB that a first visit may cost, what the pages themselves need is left over.
    #[test]
    fn all_files_together_are_small() {
        let total: usize = GZIPPED.iter().map(Bytes::len).sum();
        assert!(total < 100 * 1024, "{total} bytes");
    }
}
