//! Reverse proxies in front of the server: who asked them, and whether in the clear.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::uri::Scheme;
use service::ram::Network;

/// Who sent a request and by which scheme: the other end of the connection, or what it tells if it is one of
/// `proxies`.
///
/// Each proxy writes the address that called it behind what it found, so the list is read from its end, as
/// far as proxies wrote it. What stands in front of that anybody can have made up.
pub(super) fn origin(
    proxies: &[Network],
    peer: SocketAddr,
    scheme: Scheme,
    headers: &HeaderMap,
) -> (SocketAddr, Scheme) {
    let is_proxy = |address: IpAddr| proxies.iter().any(|it| it.contains(address));
    if !is_proxy(peer.ip()) {
        return (peer, scheme);
    }
    let mut from = peer;
    for told in values(headers, "x-forwarded-for").rev() {
        let Some(address) = address(told) else { break };
        from = SocketAddr::new(address, 0);
        if !is_proxy(address) {
            break;
        }
    }
    let told = values(headers, "x-forwarded-proto").next_back();
    let scheme = match told {
        Some(told) if told.eq_ignore_ascii_case("https") => Scheme::HTTPS,
        Some(told) if told.eq_ignore_ascii_case("http") => Scheme::HTTP,
        _ => scheme,
    };
    (from, scheme)
}

/// The values of a list that may be spread over several header fields.
fn values<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> impl DoubleEndedIterator<Item = &'a str> {
    // A field that is no text is one value that says nothing.
    let fields = headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or("?"));
    fields.flat_map(|field| field.split(',').map(str::trim))
}

/// An address as proxies write it: `192.0.2.1`, `2001:db8::1`, both also with a port.
fn address(told: &str) -> Option<IpAddr> {
    let bare = told.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(told);
    let address: Option<IpAddr> = bare.parse().ok();
    address.or_else(|| told.parse::<SocketAddr>().ok().map(|with_port| with_port.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, told: &[&'static str]) -> String {
        let proxies = ["127.0.0.1", "10.0.0.0/24"].map(|it| Network::parse(it).unwrap());
        let mut headers = HeaderMap::new();
        for value in told {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let peer = format!("{peer}:5000").parse().unwrap();
        origin(&proxies, peer, Scheme::HTTP, &headers).0.ip().to_string()
    }

    #[test]
    fn what_a_proxy_wrote_counts_and_what_its_client_wrote_does_not() {
        for (peer, told, expected) in [
            ("127.0.0.1", &["192.0.2.1"][..], "192.0.2.1"),
            ("127.0.0.1", &["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["198.51.100.7", "192.0.2.1"], "192.0.2.1"),
            ("127.0.0.1", &["198.51.100.7, 192.0.2.1, 10.0.0.2"], "192.0.2.1"),
            ("127.0.0.1", &["192.0.2.1:4711"], "192.0.2.1"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("127.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("[::ffff:127.0.0.1]", &["192.0.2.1"], "192.0.2.1"),
            // Whoever is no proxy is not believed.
            ("192.0.2.9", &["192.0.2.1"], "192.0.2.9"),
            ("192.0.2.9", &["127.0.0.1"], "192.0.2.9"),
            // Nor is what cannot be read.
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["unknown"], "127.0.0.1"),
            ("127.0.0.1", &["192.0.2.1, \u{e9}"], "127.0.0.1"),
        ] {
            assert_eq!(from(peer, told), expected, "{peer} {told:?}");
        }
    }

    #[test]
    fn only_a_proxy_says_that_a_request_came_by_https() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-proto", "HTTPS".parse().unwrap());
        let scheme = |proxies: &[Network]| {
            let peer = "127.0.0.1:5000".parse().unwrap();
            origin(proxies, peer, Scheme::HTTP, &headers).1
        };
        assert_eq!(scheme(&[Network::parse("127.0.0.1").unwrap()]), Scheme::HTTPS);
        assert_eq!(scheme(&[]), Scheme::HTTP);
    }
}
