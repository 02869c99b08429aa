//! The gateway's own errors (§5) and the codes for input that no rule ever sees (§6), one table.
//!
//! The documented text comes first and unchanged. Where the reference marks code, status or wording as
//! unknown, its suggestion stands here. Refusals of the rules are worded in [`crate::refusals`].

use http::StatusCode;

use crate::refusals::CamsWords;

const fn bad(code: &'static str, message: &'static str) -> CamsWords {
    CamsWords { status: StatusCode::BAD_REQUEST, code, message }
}

const fn with(status: StatusCode, code: &'static str, message: &'static str) -> CamsWords {
    CamsWords { status, code, message }
}

/// Status 200: the operation's own envelope.
const fn business(code: &'static str, message: &'static str) -> CamsWords {
    with(StatusCode::OK, code, message)
}

/// Neither GET nor POST.
pub const METHOD: CamsWords = bad("UnsupportedHTTPMethod", "This http method is not supported.");
/// Parameters that cannot be read: not UTF-8, too many, too large.
pub const FORMAT: CamsWords =
    bad("InvalidParameter.Format", "Specified parameter format is not valid.");
/// Another version than 2020-06-06.
pub const VERSION: CamsWords = bad("InvalidVersion", "Specified parameter Version is not valid.");
/// Not an operation of the version, or not one that is served here.
pub const ACTION: CamsWords = with(
    StatusCode::NOT_FOUND,
    "InvalidAction.NotFound",
    "Specified api is not found, please check your url and method.",
);
/// An algorithm that is not spoken here.
pub const SIGNATURE_METHOD: CamsWords =
    bad("InvalidSignatureMethod", "Specified signature method is not valid.");
/// A damaged Authorization header.
pub const INCOMPLETE: CamsWords =
    bad("IncompleteSignature", "The request signature does not conform to Aliyun standards.");
/// A date that is none.
pub const TIME_FORMAT: CamsWords =
    bad("InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.");
/// Signed too long ago, or too far ahead.
pub const TIME_EXPIRED: CamsWords =
    bad("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.");
/// No such key.
pub const KEY_UNKNOWN: CamsWords = with(
    StatusCode::NOT_FOUND,
    "InvalidAccessKeyId.NotFound",
    "Specified access key is not found.",
);
/// A disabled key.
pub const KEY_INACTIVE: CamsWords =
    bad("InvalidAccessKeyId.Inactive", "Specified access key is disabled.");
/// A temporary key without its token.
pub const TOKEN_MISSING: CamsWords =
    bad("MissingSecurityToken", "SecurityToken is mandatory for this action.");
/// A token that cannot be one.
pub const TOKEN_MALFORMED: CamsWords =
    bad("InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.");
/// The token of another key.
pub const TOKEN_MISMATCH: CamsWords = bad(
    "InvalidSecurityToken.MismatchWithAccessKey",
    "Specified SecurityToken mismatch with the AccessKey.",
);
/// A temporary key whose time is over.
pub const TOKEN_EXPIRED: CamsWords =
    bad("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.");
/// Content-MD5 is of another body.
pub const MD5: CamsWords = bad("ContentMD5NotMatched", "Specified Content-MD5 is not matched.");
/// The signature is another one; what was signed here is appended.
pub const SIGNATURE: CamsWords =
    bad("SignatureDoesNotMatch", "Specified signature is not matched with our calculation.");
/// The nonce was used already.
pub const NONCE_USED: CamsWords =
    bad("SignatureNonceUsed", "Specified signature nonce was used already.");
/// No policy allows it, in the form of newer products (§7.2).
pub const NO_PERMISSION: CamsWords = with(
    StatusCode::FORBIDDEN,
    "NoPermission",
    "You are not authorized to perform this operation.",
);
/// A part is missing at the moment.
pub const UNAVAILABLE: CamsWords = with(
    StatusCode::SERVICE_UNAVAILABLE,
    "ServiceUnavailable",
    "The request has failed due to a temporary failure of the server.",
);
/// A bug.
pub const INTERNAL: CamsWords = with(
    StatusCode::INTERNAL_SERVER_ERROR,
    "InternalError",
    "The request processing has failed due to some unknown error.",
);

/// No phone number (documented name).
pub const PHONE_NUMBER: CamsWords =
    business("InvalidParameter.PhoneNumberError", "The phone number is not valid.");
/// Neither SMS nor voice (suggested name).
pub const METHOD_OF_CODE: CamsWords =
    business("InvalidParameter.MethodNotSupport", "Method must be sms or voice.");
/// Not in the table of languages (documented name).
pub const LOCALE: CamsWords =
    business("InvalidParameter.LanguageNotSupport", "The language is not supported.");
/// A code that is none: as wrong as any other, and no guess (suggested name).
pub const VERIFY_CODE: CamsWords = business("VerifyCode.Error", "The verification code is wrong.");
/// Not a WABA of the space (suggested name).
pub const WABA_UNKNOWN: CamsWords = business(
    "InvalidParameter.WabaIdNotExist",
    "The WhatsApp Business Account does not exist in this space.",
);
/// A template: there are none here (documented name).
pub const TEMPLATE_UNKNOWN: CamsWords = business(
    "DetailError.TemplateNotExist",
    "The template does not exist: Rollcall registers phone numbers and keeps no templates.",
);
/// The space has no WABA to add a number to (suggested name).
pub const NO_WABA: CamsWords = business(
    "InvalidParameter.WabaIdNotExist",
    "No WhatsApp Business Account is bound to this space.",
);

/// All of them, for documents.
pub const ALL: [CamsWords; 27] = [
    METHOD,
    FORMAT,
    VERSION,
    ACTION,
    SIGNATURE_METHOD,
    INCOMPLETE,
    TIME_FORMAT,
    TIME_EXPIRED,
    KEY_UNKNOWN,
    KEY_INACTIVE,
    TOKEN_MISSING,
    TOKEN_MALFORMED,
    TOKEN_MISMATCH,
    TOKEN_EXPIRED,
    MD5,
    SIGNATURE,
    NONCE_USED,
    NO_PERMISSION,
    UNAVAILABLE,
    INTERNAL,
    PHONE_NUMBER,
    METHOD_OF_CODE,
    LOCALE,
    VERIFY_CODE,
    WABA_UNKNOWN,
    TEMPLATE_UNKNOWN,
    NO_WABA,
];
