//! Which addresses a callback may go to.
//!
//! Follows the registries of special-purpose addresses (IANA, RFC 6890 and its updates): what is not
//! globally reachable is not public. IPv6 forms that carry an IPv4 address are judged by it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use service::ports::Reach;

/// Whether a callback of this reach may go to `address`.
pub(super) fn allows(reach: Reach, address: IpAddr) -> bool {
    match kind(address) {
        Kind::Public => reach.public,
        Kind::Loopback => reach.loopback,
        Kind::Private => reach.private,
        Kind::Never => false,
    }
}

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Public,
    Loopback,
    /// Private networks, carrier-grade NAT, unique local addresses.
    Private,
    /// Link-local, multicast, documentation, reserved: nobody's endpoint, or a cloud's credentials.
    Never,
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        [127, ..] => Kind::Loopback,
        [10, ..] | [192, 168, ..] | [172, 16..=31, ..] | [100, 64..=127, ..] => Kind::Private,
        // "This network", link-local, IETF protocol assignments, 6to4 relays, benchmarks, documentation.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Kind::Never,
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    let segments = address.segments();
    let last_v4 = || v4(segments[6], segments[7]);
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Loopback,
        // IPv4-mapped, and NAT64's well-known prefix.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => kind_v4(last_v4()),
        // 6to4 carries the address of its relay in front.
        [0x2002, high, low, ..] => match kind_v4(v4(high, low)) {
            Kind::Public => Kind::Public,
            Kind::Loopback | Kind::Private | Kind::Never => Kind::Never,
        },
        [0xfc00..=0xfdff, ..] => Kind::Private,
        // IETF protocol assignments with Teredo and ORCHID; documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Kind::Never,
        // What is allocated to anybody lies in 2000::/3.
        [0x2000..=0x3fff, ..] => Kind::Public,
        // Unspecified, IPv4-compatible, local NAT64, discard-only, link-local, site-local, multicast.
        _ => Kind::Never,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Kind {
        kind(text.parse().expect(text))
    }

    #[test]
    fn addresses_are_what_the_registries_say() {
        let table = [
            (Kind::Public, "8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.0 172.15.0.1 172.32.0.1"),
            (Kind::Public, "192.0.1.1 192.167.0.1 198.17.0.1 198.20.0.1 223.255.255.255"),
            (Kind::Public, "2606:4700::1111 2a00:1450::1 2001:4860::8888 2001:200::1"),
            (Kind::Public, "::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1"),
            (Kind::Loopback, "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::127.0.0.1"),
            (Kind::Private, "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1"),
            (Kind::Private, "100.127.255.255 fc00::1 fd12:3456::1 ::ffff:10.0.0.1"),
            (Kind::Private, "64:ff9b::192.168.0.1"),
            (Kind::Never, "0.0.0.0 0.1.2.3 169.254.169.254 192.0.0.8 192.0.2.1 192.88.99.1"),
            (Kind::Never, "198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1"),
            (Kind::Never, "239.1.2.3 240.0.0.1 255.255.255.255 :: ::8.8.8.8 fe80::1 febf::1"),
            (Kind::Never, "fec0::1 ff02::1 100::1 64:ff9b:1::1 2001::1 2001:db8::1 3fff::1"),
            (Kind::Never, "::ffff:169.254.169.254 2002:7f00:1::1 2002:a00:1::1 4000::1"),
            (Kind::Never, "64:ff9b::169.254.169.254 ::ffff:0.0.0.0"),
        ];
        for (expected, addresses) in table {
            for address in addresses.split_whitespace() {
                assert_eq!(of(address), expected, "{address}");
            }
        }
    }

    #[test]
    fn a_reach_allows_what_it_says_and_never_link_local() {
        let allowed = |reach| {
            let all = ["8.8.8.8", "127.0.0.1", "10.0.0.1", "169.254.169.254", "fe80::1", "::"];
            all.map(|it| allows(reach, it.parse().expect(it)))
        };
        assert_eq!(allowed(Reach::PUBLIC), [true, false, false, false, false, false]);
        assert_eq!(allowed(Reach::MACHINE), [false, true, false, false, false, false]);
        assert_eq!(allowed(Reach::ANYWHERE), [true, true, true, false, false, false]);
    }
}
