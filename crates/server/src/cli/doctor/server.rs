//! Ports, the server behind them, and its clock.

use core::time::Duration;
use std::io::ErrorKind;
use std::net::{TcpListener, ToSocketAddrs as _};

use jiff::fmt::rfc2822::DateTimeParser;
use registration::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap};
use service::explain::wait_in_words;
use service::ports::Clock as _;

use super::super::client::{Client, Failure};
use super::Check;
use crate::clock::SystemClock;
use crate::config::HostPort;
use crate::config::sections::Listen;

/// A difference between clocks that somebody should look at; time synchronisation keeps far below it.
const SKEW_WARN: Duration = Duration::from_secs(5);

/// A difference at which signed requests are refused.
const SKEW_FAIL: Duration = Duration::from_mins(15);

/// Before this was written no clock can have been right.
const EARLIEST: Timestamp = Timestamp::from_millis(1_767_225_600_000); // 2026-01-01T00:00:00Z

/// Asks the server, and looks whether one could listen here.
pub(super) async fn checks(client: &Client, listen: &Listen) -> Vec<Check> {
    let now = SystemClock::new().now();
    let answer = client.public("readyz", "text/plain").await;
    let answers = answer.is_ok();
    let mut checks = vec![port("HTTP port", &listen.http, answers)];
    checks.extend(listen.https.as_ref().map(|https| port("HTTPS port", https, answers)));
    checks.push(own_clock(now));
    if let Ok((status, headers, _)) = answer {
        checks.push(readiness(client, status));
        checks.extend(skew(&headers, now));
        checks.extend(operator(client, now).await);
    } else {
        let finding = format!("nobody answers at {}", client.base());
        let cure = "start one with `rollcall serve`, or name another with --server";
        checks.push(Check::warn("server", finding, cure));
    }
    checks
}

/// Whether a server could listen there, or one does.
fn port(name: &'static str, at: &HostPort, answers: bool) -> Check {
    let shown = at.to_string();
    if at.port == 0 {
        return Check::ok(name, "any free one");
    }
    let found = (at.host.trim_matches(['[', ']']), at.port).to_socket_addrs();
    let bound =
        found.and_then(|addresses| TcpListener::bind(addresses.collect::<Vec<_>>().as_slice()));
    match bound {
        Ok(_) => Check::ok(name, format!("{shown} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && answers => {
            Check::ok(name, format!("{shown} is in use, and a server answers"))
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let cure = "stop that program, or listen elsewhere: rollcall serve --listen HOST:PORT";
            Check::fail(name, format!("{shown} is in use by another program"), cure)
        }
        Err(error) => {
            let cure = "choose an address of this machine and a port above 1023";
            Check::fail(name, format!("{shown}: {error}"), cure)
        }
    }
}

fn own_clock(now: Timestamp) -> Check {
    if now < EARLIEST {
        let cure = "set the system's clock: codes, tokens and certificates live by it";
        return Check::fail("clock", "this machine's clock is years behind", cure);
    }
    Check::ok("clock", "plausible")
}

fn readiness(client: &Client, status: StatusCode) -> Check {
    let base = client.base();
    if status.is_success() {
        Check::ok("server", format!("{base} is ready"))
    } else {
        let finding = format!("{base} is not ready ({status})");
        Check::fail("server", finding, "see its log: the database cannot serve")
    }
}

/// How far the server's system clock is from ours, by the `Date` of its answer (whole seconds).
fn skew(headers: &HeaderMap, now: Timestamp) -> Option<Check> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let theirs = DateTimeParser::new().parse_timestamp(date).ok()?.as_millisecond();
    Some(judged_skew(difference(Timestamp::from_millis(theirs), now)))
}

fn judged_skew(skew: Duration) -> Check {
    const NAME: &str = "clock skew";
    const CURE: &str = "synchronise both machines' clocks (NTP)";
    let finding = format!("server and this machine differ by {}", wait_in_words(skew));
    if skew >= SKEW_FAIL {
        return Check::fail(NAME, format!("{finding}: signed requests are refused"), CURE);
    }
    if skew >= SKEW_WARN {
        return Check::warn(NAME, finding, CURE);
    }
    Check::ok(NAME, "server and this machine agree")
}

/// Whether the token is taken, and what the server says of itself.
async fn operator(client: &Client, now: Timestamp) -> Vec<Check> {
    let status = match client.get("/status", &[]).await {
        Ok(status) => status,
        Err(failure) => {
            let cure = "name the server's data folder with --data";
            return vec![Check::fail("admin API", failure_text(failure), cure)];
        }
    };
    let text = |name: &str| status[name].as_str().unwrap_or("?").to_owned();
    let mut checks = vec![Check::ok(
        "admin API",
        format!("takes the token; version {}, {}", text("version"), text("mode")),
    )];
    let theirs = text("now").parse::<jiff::Timestamp>().ok();
    let theirs = theirs.map(|at| Timestamp::from_millis(at.as_millisecond()));
    if let Some(theirs) = theirs.filter(|_| status["mode"] == "sandbox") {
        let turned = difference(theirs, now);
        if turned >= SKEW_WARN || status["frozen"] == true {
            let finding = format!("the sandbox's clock is turned by {}", wait_in_words(turned));
            let cure = "rollcall clock set $(date -u +%FT%TZ) && rollcall clock resume";
            checks.push(Check::warn("sandbox clock", finding, cure));
        }
    }
    checks
}

fn difference(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

/// A failure and its causes.
fn failure_text(failure: Failure) -> String {
    format!("{:#}", anyhow::Error::from(failure))
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn at(port: u16) -> HostPort {
        format!("127.0.0.1:{port}").parse().unwrap()
    }

    #[test]
    fn a_port_is_free_or_taken_by_a_server_or_by_somebody_else() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let number = taken.local_addr().unwrap().port();
        assert_eq!(port("HTTP port", &at(number), true).verdict, Verdict::Ok);
        let stranger = port("HTTP port", &at(number), false);
        assert!(stranger.verdict == Verdict::Fail && stranger.cure.contains("--listen"));
        drop(taken);
        assert_eq!(port("HTTP port", &at(number), false).verdict, Verdict::Ok);
        assert_eq!(port("HTTP port", &at(0), false).verdict, Verdict::Ok);
    }

    #[test]
    fn clocks_may_differ_by_seconds_and_not_by_a_quarter_of_an_hour() {
        for (seconds, expected) in
            [(0, Verdict::Ok), (4, Verdict::Ok), (5, Verdict::Warn), (900, Verdict::Fail)]
        {
            assert_eq!(judged_skew(Duration::from_secs(seconds)).verdict, expected, "{seconds}");
        }
        assert_eq!(own_clock(Timestamp::default()).verdict, Verdict::Fail);
        assert_eq!(own_clock(EARLIEST).verdict, Verdict::Ok);
    }

    #[test]
    fn the_date_of_an_answer_tells_the_servers_clock() {
        let mut headers = HeaderMap::new();
        assert!(skew(&headers, EARLIEST).is_none());
        headers.insert(DATE, "Thu, 01 Jan 2026 00:10:00 GMT".parse().unwrap());
        let check = skew(&headers, EARLIEST).unwrap();
        assert!(check.verdict == Verdict::Warn && check.finding.ends_with("10 min"), "{check:?}");
    }
}
