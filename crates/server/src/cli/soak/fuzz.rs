//! `rollcall soak --fuzz`: what strangers send to the readers that stand before any check, mutated.
//!
//! No tool beside the program is needed: a seed makes inputs out of a small corpus by the usual mutations.
//! Coverage does not steer it; the targets in `fuzz/` do the same with libFuzzer where that is at hand.

use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use anyhow::bail;
use api::cams::parameters::{Parameters, canonical};
use api::cams::signature::{Wire, read};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use registration::{AccountId, TextId as _, Timestamp};
use service::ram::{
    Context, Identity, PolicyType, Principal, RamPolicy, Request, ResourceName, evaluate, explain,
};

use super::super::print;
use super::chance::Chance;

/// Longest input. Larger ones are cut by the limits of the listener.
const BYTES_MAX: usize = 8192;

/// Inputs between two looks at the clock.
const STRIDE: u32 = 256;

/// A reader, what it starts from, and what must hold.
struct Target {
    name: &'static str,
    corpus: &'static [&'static [u8]],
    /// Panics if something does not hold.
    check: fn(&[u8]),
}

const TARGETS: [Target; 3] = [
    Target { name: "query decoding", corpus: QUERIES, check: query },
    Target { name: "canonical form", corpus: REQUESTS, check: request },
    Target { name: "policy parsing", corpus: POLICIES, check: policy },
];

const QUERIES: &[&[u8]] = &[
    b"CustSpaceId=cams-test01&PhoneNumber=8613800001234&VerifyCode=223222",
    b"VerifiedName=%E6%B5%8B%E8%AF%95%20Name%20%26%20Co%2B~*&Cc=86",
    b"A=1&B=&&C&=x&%=%&%zz=%4&a=b=c&+=%2B",
    b"SignatureType=&Websites=%5B%22https%3A%2F%2Fa.example%22%5D",
];

/// Head and body of a request: method, target, header fields, a blank line, the body.
const REQUESTS: &[&[u8]] = &[
    b"POST\n/?CustSpaceId=cams-test01\nhost:a.example\nx-acs-action:IsvGetAppId\n\
      x-acs-date:2026-11-22T04:29:29Z\nx-acs-signature-nonce:b9fd\nx-acs-version:2020-06-06\n\
      authorization:ACS3-HMAC-SHA256 Credential=LTAI,SignedHeaders=host;x-acs-action;x-acs-date;\
      x-acs-signature-nonce;x-acs-version,Signature=00\n\nCc=86",
    b"GET\n/?AccessKeyId=LTAI&Action=A&SignatureMethod=HMAC-SHA1&SignatureNonce=1&\
      SignatureVersion=1.0&Timestamp=2026-11-22T04:29:29Z&Version=2020-06-06&Signature=x%3D\n\n",
    b"POST\n/\nauthorization:ACS3-HMAC-SHA256 Signature=,SignedHeaders=;;,Credential=\n\n",
];

const POLICIES: &[&[u8]] = &[
    br#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cams:Get*","Resource":"*"}]}"#,
    br#"{"Version":"1","Statement":[{"Effect":"Deny","NotAction":["cams:*","ram:?et*"],
       "Resource":["acs:cams:*:default:space/*","*"],"Condition":{"IpAddress":{"acs:SourceIp":
       ["192.0.2.0/24","2001:db8::/32"]},"Bool":{"acs:MFAPresent":"false"},"DateLessThan":
       {"acs:CurrentTime":"2026-12-01T00:00:00+08:00"},"NumericLessThan":{"x":1e-9},
       "StringNotLike":{"acs:ResourceTag/a":["b*"]}}}]}"#,
    br#"{"Statement":{"Effect":"allow"},"Version":1,"\u0000":[[[[]]]],"x":-0.1E+9}"#,
];

/// Pieces that readers treat in a special way.
const TOKENS: &[&[u8]] = &[
    b"%",
    b"%00",
    b"%2",
    b"+",
    b"&",
    b"=",
    b";",
    b",",
    b"\n",
    b"\0",
    b"\xff",
    b"\xc3\x28",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b"*",
    b"?",
    b"acs:",
    b":",
    b"/",
    b"1e999",
    b"Signature=",
    b"SignedHeaders=",
    b"Condition",
    b"Statement",
    b"\xf0\x9f\x92\xa9",
];

/// Runs every target for `each`; an input that breaks one is printed as hexadecimal digits.
pub(super) fn run(seed: u64, each: Duration) -> anyhow::Result<()> {
    // A panic is the finding: its message would come in between.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let ended = TARGETS.iter().try_for_each(|target| {
        let inputs = fuzz(target, seed, each)?;
        print(&format!("{:<15} {inputs:>10} inputs in {} s\n", target.name, each.as_secs()))?;
        Ok(())
    });
    std::panic::set_hook(hook);
    ended
}

fn fuzz(target: &Target, seed: u64, each: Duration) -> anyhow::Result<u64> {
    let mut chance = Chance::new(seed);
    let mut corpus: Vec<Vec<u8>> = target.corpus.iter().map(|it| it.to_vec()).collect();
    let started = now();
    let mut inputs = 0_u64;
    while started.elapsed() < each {
        for _ in 0..STRIDE {
            let input = mutated(&corpus, &mut chance);
            if catch_unwind(AssertUnwindSafe(|| (target.check)(&input))).is_err() {
                bail!("{} does not hold for {} (seed {seed})", target.name, hex::encode(&input));
            }
            inputs += 1;
            // Now and then a mutation becomes a start of its own.
            if chance.below(512) == 0 {
                let first = target.corpus.len();
                if corpus.len() < 256 {
                    corpus.push(input);
                } else {
                    let place = first + index(&mut chance, corpus.len() - first);
                    corpus[place] = input;
                }
            }
        }
    }
    Ok(inputs)
}

fn mutated(corpus: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut input = corpus[index(chance, corpus.len())].clone();
    for _ in 0..=chance.below(6) {
        let at = index(chance, input.len() + 1);
        match chance.below(7) {
            0 if at < input.len() => input[at] ^= 1 << chance.below(8),
            1 if at < input.len() => input[at] = byte(chance),
            2 => input.insert(at, byte(chance)),
            3 => {
                let end = (at + index(chance, 16)).min(input.len());
                input.drain(at..end);
            }
            4 => {
                let other = &corpus[index(chance, corpus.len())];
                let from = index(chance, other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            5 => {
                let end = (at + index(chance, 64)).min(input.len());
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece);
            }
            _ => {
                let token = TOKENS[index(chance, TOKENS.len())];
                input.splice(at..at, token.iter().copied());
            }
        }
    }
    input.truncate(BYTES_MAX);
    input
}

/// Below `count`, 0 for none.
fn index(chance: &mut Chance, count: usize) -> usize {
    let count = u64::try_from(count).unwrap_or(1).max(1);
    usize::try_from(chance.below(count)).unwrap_or(0)
}

fn byte(chance: &mut Chance) -> u8 {
    u8::try_from(chance.below(256)).unwrap_or(0)
}

/// What was decoded and encoded again is decoded to the same.
fn query(input: &[u8]) {
    let cut = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (query, form) = input.split_at(cut);
    let Ok(parameters) = Parameters::parse(query, form.get(1..).unwrap_or_default()) else {
        return;
    };
    let encoded = canonical(parameters.iter());
    assert!(encoded.is_ascii(), "canonical text is ASCII");
    let again = Parameters::parse(encoded.as_bytes(), b"");
    let again = again.expect("what was encoded here can be read");
    assert_eq!(canonical(again.iter()), encoded, "the canonical form is one");
}

/// Claims and the string to sign come out of anything, and only a right signature passes.
fn request(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.split('\n');
    let method = lines.next().and_then(|it| it.parse::<Method>().ok()).unwrap_or(Method::POST);
    let uri: Uri = lines.next().and_then(|it| it.parse().ok()).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
    let query = uri.query().unwrap_or_default();
    let Ok(parameters) = Parameters::parse(query.as_bytes(), body.as_bytes()) else { return };
    let (uri, headers, body) = (&uri, &headers, body.as_bytes());
    let wire = Wire { method: &method, uri, headers, parameters: &parameters, body };
    let Ok(claims) = read(wire) else { return };
    let signed = claims.string_to_sign(wire);
    assert_eq!(signed, claims.string_to_sign(wire), "the string to sign is one");
    assert!(claims.check(wire, b"a secret that nobody signed with").is_err(), "not proven");
}

/// A text is a policy that decides, or its faults are named.
fn policy(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match RamPolicy::parse("fuzz", PolicyType::Account, &text) {
        Err(error) => assert!(!error.faults().is_empty(), "a refusal has a reason"),
        Ok(policy) => {
            let account = AccountId::parse("default").expect("an id");
            let principal =
                Principal { account: &account, identity: Identity::User { name: "ci" } };
            let request = Request {
                action: "cams:GetChatappVerifyCode",
                resource: ResourceName::everything("cams", "ap-southeast-1", "default"),
                context: Context {
                    current_time: Timestamp::from_millis(1_795_320_000_000),
                    secure_transport: true,
                    source_ip: "192.0.2.9".parse().ok(),
                    mfa_present: Some(false),
                    more: &[("acs:ResourceTag/a", "b")],
                },
            };
            let policies = [policy];
            let decision = evaluate(&principal, &request, &policies);
            assert_eq!(explain(&principal, &request, &policies).decision, decision, "one decision");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "measures the run; nothing is decided by it")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_holds_for_a_moment_and_for_its_corpus() {
        for target in &TARGETS {
            target.corpus.iter().for_each(|input| (target.check)(input));
            let inputs = fuzz(target, 7, Duration::from_millis(100)).expect(target.name);
            assert!(inputs > 0);
        }
    }

    #[test]
    fn a_target_that_does_not_hold_is_found() {
        let broken = Target {
            name: "broken",
            corpus: &[b"abcdefgh"],
            check: |input| assert!(!input.contains(&b'%'), "no percent sign"),
        };
        let found = fuzz(&broken, 7, Duration::from_secs(20)).expect_err("soon").to_string();
        assert!(found.starts_with("broken does not hold for "), "{found}");
    }
}
