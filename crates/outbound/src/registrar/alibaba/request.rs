//! A signed request (§3.1, §4.1): its address and headers.

use registration::Timestamp;
use service::acs3;

/// The version that is spoken.
pub const VERSION: &str = "2020-06-06";

/// Who signs.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// `AccessKeyId`.
    pub id: &'a str,
    /// Its secret.
    pub secret: &'a str,
    /// The token of a temporary key.
    pub security_token: Option<&'a str>,
}

/// Where the request goes and what it carries. Its body is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The address with all parameters.
    pub url: String,
    /// The headers, signature included. `host` is not among them: it follows from the address.
    pub headers: Vec<(&'static str, String)>,
}

/// Signs a call of `action`. `None` if the address has no host.
#[must_use]
pub fn sign(
    base_url: &str,
    action: &str,
    parameters: &[(&str, &str)],
    key: &Key<'_>,
    now: Timestamp,
    nonce: &str,
) -> Option<Signed> {
    let (_, host) = base_url.split_once("://")?;
    if host.is_empty() || host.contains('/') {
        return None;
    }
    let query = acs3::canonical_query(parameters.iter().copied());
    let content = acs3::digest(b"");
    let mut headers = vec![
        ("accept", "application/json".to_owned()),
        ("x-acs-action", action.to_owned()),
        ("x-acs-content-sha256", content.clone()),
        ("x-acs-date", moment(now)),
        ("x-acs-signature-nonce", nonce.to_owned()),
        ("x-acs-version", VERSION.to_owned()),
    ];
    if let Some(token) = key.security_token {
        headers.push(("x-acs-accesskey-id", key.id.to_owned()));
        headers.push(("x-acs-security-token", token.to_owned()));
    }
    let authorization = authorization("POST", &query, &headers, host, &content, key);
    headers.push(("authorization", authorization));
    Some(Signed { url: format!("{base_url}/?{query}"), headers })
}

/// The Authorization header: over every `x-acs-` header, `accept` and `host`.
fn authorization(
    method: &str,
    query: &str,
    headers: &[(&str, String)],
    host: &str,
    content: &str,
    key: &Key<'_>,
) -> String {
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.push("host");
    names.sort_unstable();
    let signed_headers = names.join(";");
    let value = |name: &str, into: &mut Vec<u8>| {
        let found = headers.iter().find(|(known, _)| *known == name);
        let value = found.map_or(host, |(_, value)| value);
        into.extend_from_slice(value.trim().as_bytes());
    };
    let request = acs3::canonical_request(method, query, &signed_headers, value, content);
    let text = acs3::string_to_sign(&request);
    let signature = acs3::sign(&text, key.secret.as_bytes());
    let algorithm = acs3::ALGORITHM;
    format!(
        "{algorithm} Credential={},SignedHeaders={signed_headers},Signature={signature}",
        key.id
    )
}

/// `YYYY-MM-DDThh:mm:ssZ`, from the days since 1970 as Howard Hinnant's public-domain algorithm has them.
fn moment(now: Timestamp) -> String {
    let seconds = now.as_seconds();
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Worked example A of the reference, captured from the official Python SDK: the same call under the
    /// same key, date and nonce, but with the SDK's own headers.
    #[test]
    fn the_signature_is_the_one_that_the_official_client_makes() {
        let parameters = [
            ("CustSpaceId", "cams-test01"),
            ("PhoneNumber", "8613800001234"),
            ("VerifyCode", "223222"),
        ];
        let query = acs3::canonical_query(parameters.into_iter());
        let content = acs3::digest(b"");
        let user_agent = "AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2";
        let headers = [
            ("accept", "application/json".to_owned()),
            ("user-agent", user_agent.to_owned()),
            ("x-acs-action", "ChatappVerifyAndRegister".to_owned()),
            ("x-acs-content-sha256", content.clone()),
            ("x-acs-credentials-provider", "static_ak".to_owned()),
            ("x-acs-date", "2026-11-22T04:29:29Z".to_owned()),
            ("x-acs-signature-nonce", "b9fd9a40d869d9ee3831dbbb2951f158".to_owned()),
            ("x-acs-version", VERSION.to_owned()),
        ];
        let key = Key {
            id: "LTAI5tFakeAccessKeyId001",
            secret: "FakeAccessKeySecretForTests0001",
            security_token: None,
        };
        let made = authorization("POST", &query, &headers, "127.0.0.1:18100", &content, &key);
        assert_eq!(
            made,
            "ACS3-HMAC-SHA256 Credential=LTAI5tFakeAccessKeyId001,SignedHeaders=accept;host;user-agent;\
             x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;\
             x-acs-signature-nonce;x-acs-version,\
             Signature=851a95d41d94a234e2f0bfcae8bdf28b9122e0da8f11b6cdcc22136ebe314df0"
        );
    }

    /// Every request of the third generation that was captured from the official SDKs, in five languages: the same
    /// inputs give the same header.
    #[test]
    fn every_captured_request_would_have_been_signed_alike() {
        let captured = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../api/tests/fixtures/cams/signature-vectors.json"
        ));
        let captured: Value = serde_json::from_str(captured).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let credentials = &captured["credentials"];
        let (id, secret) =
            (text(&credentials["accessKeyId"]), text(&credentials["accessKeySecret"]));
        let key = Key { id: &id, secret: &secret, security_token: None };
        let mut compared = 0;
        for vector in captured["vectors"].as_array().unwrap() {
            if vector["protocol"] != acs3::ALGORITHM {
                continue;
            }
            let request = &vector["request"];
            let all: Vec<(String, String)> = request["headers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| (text(&pair[0]).to_ascii_lowercase(), text(&pair[1])))
                .collect();
            let value = |name: &str| all.iter().find(|(known, _)| known == name).unwrap().1.clone();
            let expected = value("authorization");
            let signed = expected.split("SignedHeaders=").nth(1).unwrap();
            let signed = signed.split(',').next().unwrap();
            let names = signed.split(';');
            if !names.clone().any(|name| name == "host") {
                // One of the clients leaves the host out; we never do.
                continue;
            }
            let headers: Vec<_> =
                names.filter(|name| *name != "host").map(|name| (name, value(name))).collect();
            let url = reqwest::Url::parse(&format!("http://localhost{}", text(&request["target"])));
            let url = url.unwrap();
            let pairs: Vec<_> = url.query_pairs().collect();
            let query = acs3::canonical_query(pairs.iter().map(|(k, v)| (&**k, &**v)));
            let content = acs3::digest(text(&request["bodyUtf8"]).as_bytes());
            let method = text(&request["method"]);
            let host = value("host");
            let made = authorization(&method, &query, &headers, &host, &content, &key);
            // Clients differ in the order of the parts.
            let signature = format!(",Signature={}", text(&vector["expected"]["signature"]));
            assert!(made.ends_with(&signature), "{}: {made}", vector["id"]);
            assert!(made.contains(&format!("SignedHeaders={signed},")), "{}", vector["id"]);
            compared += 1;
        }
        assert_eq!(compared, 48);
    }

    #[test]
    fn moments_are_written_as_the_service_reads_them() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_321_769_000, "2026-11-22T04:29:29Z"),
            (951_782_400_999, "2000-02-29T00:00:00Z"),
            (1_709_251_199_000, "2024-02-29T23:59:59Z"),
        ] {
            assert_eq!(moment(Timestamp::from_millis(millis)), text);
        }
    }

    #[test]
    fn an_address_with_a_path_is_none() {
        let key = Key { id: "a", secret: "b", security_token: None };
        let sign = |url| sign(url, "A", &[], &key, Timestamp::default(), "n");
        assert!(sign("https://cams.example").is_some());
        assert!(sign("https://cams.example/base").is_none());
        assert!(sign("cams.example").is_none());
    }
}
