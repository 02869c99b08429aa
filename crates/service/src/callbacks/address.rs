//! Which texts may be the address of an endpoint.

/// Longest address (our choice).
pub const URL_CHARS_MAX: usize = 2048;

/// Why a text is no address to post to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// Longer than [`URL_CHARS_MAX`].
    #[error("it is longer than {URL_CHARS_MAX} characters")]
    TooLong,
    /// Neither `http://` nor `https://` in front.
    #[error("it must begin with http:// or https://")]
    Scheme,
    /// Spaces, control characters, backslashes or others that an address does not have.
    #[error("it holds a character that an address does not have; percent-encode it")]
    Character,
    /// No host, or none that can be one.
    #[error("it names no host")]
    Host,
    /// A port that is none.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// A user name or password: they would stand in logs.
    #[error("it must not hold a user name or password")]
    Credentials,
}

/// Whether callbacks can be posted to `text`. Which addresses its host has is checked at each post.
pub fn check_url(text: &str) -> Result<(), UrlFault> {
    if text.len() > URL_CHARS_MAX {
        return Err(UrlFault::TooLong);
    }
    if !text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b)) {
        return Err(UrlFault::Character);
    }
    let authority = authority(text).ok_or(UrlFault::Scheme)?;
    if authority.contains('@') {
        return Err(UrlFault::Credentials);
    }
    let (host, port) = split_port(authority).ok_or(UrlFault::Host)?;
    if !is_host(host) {
        return Err(UrlFault::Host);
    }
    match port.map(str::parse::<u16>) {
        None => Ok(()),
        Some(Ok(1..)) if port.is_some_and(|it| it.bytes().all(|b| b.is_ascii_digit())) => Ok(()),
        Some(_) => Err(UrlFault::Port),
    }
}

/// The host of an address, for logs: paths and queries may hold secrets.
#[must_use]
pub fn host_of(text: &str) -> &str {
    authority(text).and_then(split_port).map_or("", |(host, _)| host)
}

fn authority(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let is_known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    is_known.then(|| rest.split(['/', '?', '#']).next().unwrap_or_default())
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}

fn is_host(host: &str) -> bool {
    if host.contains(':') {
        return host.parse::<core::net::Ipv6Addr>().is_ok();
    }
    (1..=253).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        && host.bytes().any(|b| b.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_nothing_else_that_matters() {
        for good in [
            "http://example.com",
            "HTTPS://Example.com:8443/a/b?c=d%20e#f",
            "http://127.0.0.1:1/",
            "http://[::1]:9/x",
            "https://[2001:db8::1]",
            "http://a_b.internal?x",
        ] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        let long = format!("http://{}", "a".repeat(URL_CHARS_MAX));
        for (bad, fault) in [
            ("", UrlFault::Scheme),
            ("example.com", UrlFault::Scheme),
            ("ftp://example.com", UrlFault::Scheme),
            ("file:///etc/passwd", UrlFault::Scheme),
            ("http:/example.com", UrlFault::Scheme),
            ("http://", UrlFault::Host),
            ("http:///path", UrlFault::Host),
            ("http://?x", UrlFault::Host),
            ("http://..", UrlFault::Host),
            ("http://[::1", UrlFault::Host),
            ("http://[::1]x", UrlFault::Host),
            ("http://[zz:1]/", UrlFault::Host),
            ("http://a:0/", UrlFault::Port),
            ("http://a:/", UrlFault::Port),
            ("http://a:+1/", UrlFault::Port),
            ("http://a:65536/", UrlFault::Port),
            ("http://user@a/", UrlFault::Credentials),
            ("http://user:secret@127.0.0.1/", UrlFault::Credentials),
            ("http://a b/", UrlFault::Character),
            ("http://a\\@b/", UrlFault::Character),
            ("http://a/\r\nX: y", UrlFault::Character),
            ("http://ä.example/", UrlFault::Character),
            (&long, UrlFault::TooLong),
        ] {
            assert_eq!(check_url(bad), Err(fault), "{bad}");
        }
        assert_eq!(host_of("https://example.com:1/secret?token=1"), "example.com");
        assert_eq!(host_of("https://[::1]:1/secret"), "::1");
        assert_eq!(host_of("nonsense"), "");
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,40}", tail in "[ -~]{0,40}") {
            let _ = (check_url(&text), host_of(&text));
            let address = format!("http://{tail}");
            if check_url(&address).is_ok() {
                prop_assert!(!host_of(&address).is_empty());
            }
        }
    }
}
