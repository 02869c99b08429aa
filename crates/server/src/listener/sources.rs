//! How many connections each source has: none can take them all.
//!
//! A source is whoever can change addresses at no cost: an IPv4 address, or the /64 that an IPv6 host is
//! given. Behind a proxy stand many, and a connection comes before any header that names one of them, so that none
//! of a proxy's connections is counted by source.

use core::net::IpAddr;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use service::login::source_of;
use service::ram::Network;
use tokio::time::Instant;

use super::Options;

/// Between two lines of the log about refused connections: whoever is refused tries again at once.
const LOG_PAUSE: Duration = Duration::from_secs(10);

/// Connections of both addresses, counted for the metrics.
#[derive(Debug, Default)]
pub struct Connections {
    open: AtomicU64,
    refused: AtomicU64,
}

impl Connections {
    /// How many are open.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// How many were refused because their source had too many, since the start.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// The open connections by source.
pub(super) struct Sources {
    max: usize,
    uncounted: Vec<Network>,
    counts: Arc<Connections>,
    open: Mutex<HashMap<IpAddr, usize>>,
    logged: Mutex<Logged>,
}

/// What the log was told of refusals.
#[derive(Default)]
struct Logged {
    last: Option<Instant>,
    refused: u64,
}

impl Sources {
    pub(super) fn new(options: &Options, counts: Arc<Connections>) -> Arc<Self> {
        Arc::new(Self {
            max: options.connections_per_source_max,
            uncounted: options.uncounted.clone(),
            counts,
            open: Mutex::default(),
            logged: Mutex::default(),
        })
    }

    /// A place for a connection from `peer`, until it is dropped; `None` if its source has no more.
    pub(super) fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let counted = !self.uncounted.iter().any(|it| it.contains(peer));
        let source = counted.then(|| source_of(peer));
        if let Some(source) = source {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let held = open.entry(source).or_default();
            if *held >= self.max {
                drop(open);
                self.refuse(source);
                return None;
            }
            *held += 1;
        }
        self.counts.open.fetch_add(1, Ordering::Relaxed);
        Some(Place { sources: Arc::clone(self), source })
    }

    fn refuse(&self, source: IpAddr) {
        self.counts.refused.fetch_add(1, Ordering::Relaxed);
        let told = self.logged.lock().unwrap_or_else(PoisonError::into_inner).at(Instant::now());
        if let Some(refused) = told {
            tracing::warn!(
                %source,
                refused,
                max = self.max,
                "connections refused, their source has too many; see listen.connections_per_source_max \
                 and listen.proxies"
            );
        }
    }
}

impl Logged {
    /// One more is refused: how many the log is to be told of, if it is.
    fn at(&mut self, now: Instant) -> Option<u64> {
        self.refused += 1;
        if self.last.is_some_and(|last| now.duration_since(last) < LOG_PAUSE) {
            return None;
        }
        self.last = Some(now);
        Some(core::mem::take(&mut self.refused))
    }
}

/// A connection that is counted, until it is closed.
pub(super) struct Place {
    sources: Arc<Sources>,
    source: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sources.counts.open.fetch_sub(1, Ordering::Relaxed);
        let Some(source) = self.source else { return };
        let mut open = self.sources.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = open.get_mut(&source) {
            *held -= 1;
            if *held == 0 {
                open.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(max: usize, uncounted: &[&str]) -> Arc<Sources> {
        let uncounted = uncounted.iter().map(|it| Network::parse(it).unwrap()).collect();
        Arc::new(Sources {
            max,
            uncounted,
            counts: Arc::default(),
            open: Mutex::default(),
            logged: Mutex::default(),
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_is_an_ipv4_address_or_the_64_of_an_ipv6_one() {
        for (one, other, same) in [
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
        ] {
            let sources = sources(1, &[]);
            let _held = sources.enter(ip(one)).unwrap();
            assert_eq!(sources.enter(ip(other)).is_none(), same, "{one} {other}");
        }
    }

    #[test]
    fn a_closed_connection_gives_its_place_back_and_is_forgotten() {
        let sources = sources(2, &[]);
        let mut held = vec![sources.enter(ip("192.0.2.1")), sources.enter(ip("192.0.2.1"))];
        assert!(sources.enter(ip("192.0.2.1")).is_none());
        assert_eq!((sources.counts.open(), sources.counts.refused()), (2, 1));
        held.pop();
        held.push(sources.enter(ip("192.0.2.1")));
        assert!(held.iter().all(Option::is_some));
        drop(held);
        assert_eq!(sources.counts.open(), 0);
        assert!(sources.open.lock().unwrap().is_empty());
    }

    #[test]
    fn connections_of_proxies_are_not_counted_by_source() {
        let sources = sources(1, &["192.0.2.0/24", "::1"]);
        for proxy in ["192.0.2.7", "::ffff:192.0.2.7", "::1"] {
            let held = [(); 3].map(|()| sources.enter(ip(proxy)));
            assert!(held.iter().all(Option::is_some), "{proxy}");
            assert_eq!(sources.counts.open(), 3, "{proxy}");
        }
    }

    #[test]
    fn refusals_are_logged_once_in_a_while() {
        let (mut logged, start) = (Logged::default(), Instant::now());
        let told = [0, 0, 1, 9_999, 10_000, 10_001, 30_000]
            .map(|ms| logged.at(start + Duration::from_millis(ms)));
        assert_eq!(told, [Some(1), None, None, None, Some(4), None, Some(2)]);
    }
}
