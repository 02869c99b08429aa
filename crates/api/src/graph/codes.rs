//! Errors of the dialect that are no refusals of a rule (§5.2, §5.3, §5.7). Refusals are worded in
//! [`crate::refusals`].

use http::StatusCode;

/// An error: HTTP status, `code`, `error_subcode`, `message`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// HTTP status.
    pub status: StatusCode,
    /// `code`.
    pub code: u32,
    /// `error_subcode`.
    pub subcode: Option<u32>,
    /// `message`.
    pub message: &'static str,
    /// `is_transient`.
    pub is_transient: bool,
}

const fn words(status: StatusCode, code: u32, message: &'static str) -> Words {
    Words { status, code, subcode: None, message, is_transient: false }
}

/// No token came along.
pub const NO_TOKEN: Words =
    words(StatusCode::UNAUTHORIZED, 104, "An access token is required to request this resource.");
/// No token of this server, or a revoked one.
pub const BAD_TOKEN: Words =
    words(StatusCode::UNAUTHORIZED, 190, "Invalid OAuth access token - Cannot parse access token");
/// A token that ended (§5.5).
pub const EXPIRED_TOKEN: Words = Words {
    subcode: Some(463),
    ..words(StatusCode::UNAUTHORIZED, 190, "Error validating access token: Session has expired")
};
/// The proof that came with a token is not that of the app.
pub const BAD_PROOF: Words =
    words(StatusCode::BAD_REQUEST, 100, "Invalid appsecret_proof provided in the API argument");
/// A parameter is missing or wrong; the message is made at hand.
pub const PARAMETER: Words = words(StatusCode::BAD_REQUEST, 100, "(#100) Invalid parameter");
/// The number is none (§5.4).
pub const NUMBER: Words = Words {
    subcode: Some(3_441_051),
    ..words(StatusCode::BAD_REQUEST, 100, "(#100) Invalid parameter")
};
/// A list of fields cannot be read; the message is made at hand.
pub const SYNTAX: Words = words(StatusCode::BAD_REQUEST, 2500, "Syntax error");
/// The node has no such edge; the message is made at hand.
pub const PATH: Words = words(StatusCode::BAD_REQUEST, 2500, "Unknown path components");
/// A scope is missing; the message is made at hand.
pub const PERMISSION: Words = words(StatusCode::FORBIDDEN, 200, "(#200) Permissions error");
/// An endpoint did not repeat the challenge; the message is made at hand.
pub const CALLBACK: Words =
    words(StatusCode::BAD_REQUEST, 2200, "(#2200) Callback verification failed");
/// The app has made all calls of its hour.
pub const APP_LIMIT: Words = Words {
    is_transient: true,
    ..words(StatusCode::BAD_REQUEST, 4, "(#4) Application request limit reached")
};
/// The body is too large.
pub const TOO_LARGE: Words =
    words(StatusCode::PAYLOAD_TOO_LARGE, 100, "(#100) The request body is too large");
/// The verb has no meaning here.
pub const VERB: Words = words(StatusCode::BAD_REQUEST, 100, "Unsupported request");
/// A part of the server is missing at the moment.
pub const UNAVAILABLE: Words = Words {
    is_transient: true,
    ..words(StatusCode::SERVICE_UNAVAILABLE, 133_004, "(#133004) Server Temporarily Unavailable")
};
/// A bug.
pub const INTERNAL: Words =
    words(StatusCode::INTERNAL_SERVER_ERROR, 131_000, "(#131000) Something went wrong");
