//! Server-sent events of the operator's API.

use core::time::Duration;

use reqwest::header::ACCEPT;

use super::{Client, Failure, Pairs, settled};

/// Most bytes of one event: an entry of the trail has a few hundred.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// A server that says nothing for so long is gone: it gives a sign of life every 15 seconds.
const SILENCE_MAX: Duration = Duration::from_secs(45);

/// A stream of events.
pub(in crate::cli) struct Feed {
    response: reqwest::Response,
    events: Events,
}

impl Client {
    /// `GET /admin/v1{path}` as a stream of events, until the server or the caller ends it.
    pub(in crate::cli) async fn listen(
        &self,
        path: &str,
        query: Pairs<'_>,
    ) -> Result<Feed, Failure> {
        let url = self.url(&format!("admin/v1{path}"), query)?;
        let request = self.http.get(url).bearer_auth(self.token()?);
        let response = self.send(request.header(ACCEPT, "text/event-stream")).await?;
        if response.status().is_success() {
            return Ok(Feed { response, events: Events::default() });
        }
        let status = response.status();
        let bytes = response.bytes().await.map_err(|source| self.unreachable(source))?;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Err(match settled(status, body) {
            Err(failure) => failure,
            Ok(_) => Failure::Other(anyhow::anyhow!("the server answered {status}")),
        })
    }
}

impl Feed {
    /// The next event: its kind and data; a sign of life has neither. `None` at the end, however it came.
    pub(in crate::cli) async fn next(&mut self) -> Option<(String, String)> {
        loop {
            if let Some(event) = self.events.next() {
                return Some(event);
            }
            let chunk = tokio::time::timeout(SILENCE_MAX, self.response.chunk()).await;
            let chunk = chunk.ok()?.ok().flatten()?;
            self.events.0.extend_from_slice(&chunk);
            if self.events.0.len() > EVENT_BYTES_MAX {
                return None;
            }
        }
    }
}

/// What came and was not read yet.
#[derive(Debug, Default)]
struct Events(Vec<u8>);

impl Events {
    /// Takes the first event that is whole.
    fn next(&mut self) -> Option<(String, String)> {
        let end = self.0.windows(2).position(|two| two == b"\n\n")?;
        let event: Vec<u8> = self.0.drain(..end + 2).collect();
        let event = String::from_utf8_lossy(&event);
        let field = |name: &str| {
            let mut values = event.lines().filter_map(|line| line.strip_prefix(name));
            let value = values.next().unwrap_or_default();
            value.strip_prefix(' ').unwrap_or(value).to_owned()
        };
        Some((field("event:"), field("data:")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_they_come_in_pieces() {
        let mut events = Events::default();
        let mut read = Vec::new();
        for piece in
            ["event: hello\ndata: 4\nid", ": 4\n\n:\n\nevent: entry\ndata: {\"a\":1}\n", "\n"]
        {
            events.0.extend_from_slice(piece.as_bytes());
            while let Some(event) = events.next() {
                read.push(event);
            }
        }
        let event = |kind: &str, data: &str| (kind.to_owned(), data.to_owned());
        assert_eq!(read, [event("hello", "4"), event("", ""), event("entry", r#"{"a":1}"#)]);
    }
}
