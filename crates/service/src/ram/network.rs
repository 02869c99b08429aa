//! Ranges of addresses in CIDR form.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

/// All addresses that share their first bits: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
///
/// Bits behind the prefix are dropped. An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) is the IPv4
/// address, in ranges and in requests; no other IPv6 range contains an IPv4 address, `::/0` included.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// First address, IPv4 ones mapped into IPv6.
    first: u128,
    /// Length of the prefix in the mapped form: that of an IPv4 range counts from 96.
    bits: u32,
}

/// The prefix of IPv4 addresses mapped into IPv6 (RFC 4291 §2.5.5.2), and its length.
const MAPPED: u128 = 0xffff;
const MAPPED_BITS: u32 = 96;

impl Network {
    /// Reads an address, alone or with a prefix length behind `/`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(prefix_length(bits)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let (length, offset) = if address.is_ipv4() { (32, MAPPED_BITS) } else { (128, 0) };
        let bits = bits.unwrap_or(length);
        if bits > length {
            return None;
        }
        let bits = bits + offset;
        Some(Self { first: mapped(address) & !rest(bits), bits })
    }

    /// Whether `address` is one of them.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = mapped(address);
        (address >> 32 == MAPPED) == self.is_ipv4() && address & !rest(self.bits) == self.first
    }

    const fn is_ipv4(&self) -> bool {
        self.bits >= MAPPED_BITS && self.first >> 32 == MAPPED
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = Ipv6Addr::from_bits(self.first);
        match first.to_ipv4_mapped().filter(|_| self.is_ipv4()) {
            Some(first) => write!(f, "{first}/{}", self.bits - MAPPED_BITS),
            None => write!(f, "{first}/{}", self.bits),
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({self})")
    }
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The bits behind a prefix.
const fn rest(bits: u32) -> u128 {
    match u128::MAX.checked_shr(bits) {
        Some(rest) => rest,
        None => 0,
    }
}

/// Up to three digits without a sign, which `parse` alone would take.
fn prefix_length(text: &str) -> Option<u32> {
    let digits = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).expect(text)
    }

    #[test]
    fn a_range_holds_the_addresses_with_its_prefix() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.9.8.7/8", "10.0.0.0", "9.255.255.255"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.9"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
            ("1:2:3:4:5:ffff:0:0/96", "1:2:3:4:5:ffff:0:1", "0.0.0.1"),
        ] {
            let range = network(range);
            assert!(range.contains(inside.parse().expect(inside)), "{range} {inside}");
            assert!(!range.contains(outside.parse().expect(outside)), "{range} {outside}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "10.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "a", "1/8"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_range_reads_back_as_itself_and_holds_its_first_address(
            v4: bool, address: u128, bits in 0..=128_u32,
        ) {
            let text = if v4 {
                let address = u32::try_from(address >> 96).expect("32 bits");
                format!("{}/{}", core::net::Ipv4Addr::from_bits(address), bits % 33)
            } else {
                format!("{}/{bits}", Ipv6Addr::from_bits(address))
            };
            let range = network(&text);
            prop_assert_eq!(network(&range.to_string()), range);
            let (first, _) = text.split_once('/').expect("a slash");
            // A range of IPv6 may begin with an address that is IPv4 in disguise.
            let first: IpAddr = first.parse().expect("an address");
            prop_assert!(range.contains(first) || first.to_canonical().is_ipv4() != v4);
        }
    }
}
