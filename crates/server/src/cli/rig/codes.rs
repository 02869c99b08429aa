//! The sandbox's inbox as a switchboard: each code goes to whoever waits for its number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::ensure;
use futures_util::StreamExt as _;
use http::StatusCode;
use serde::Deserialize;
use tokio::sync::oneshot;

use super::server_process::ServerProcess;

/// Codes by number; clones share them.
#[derive(Clone, Default)]
pub(in crate::cli) struct Codes {
    waiting: Arc<Mutex<HashMap<String, oneshot::Sender<String>>>>,
}

/// What is read of a message; none of it holds a character that JSON escapes.
#[derive(Deserialize)]
struct Message<'a> {
    id: &'a str,
    number: Option<&'a str>,
    code: Option<&'a str>,
}

impl Codes {
    /// Subscribes to the inbox of `server`; `seen` is told the id of each message first.
    pub(in crate::cli) async fn listen(
        server: &ServerProcess,
        seen: impl Fn(&str) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let codes = Self::default();
        let stream = reqwest::get(server.url("/sandbox/v1/inbox/stream")).await?;
        ensure!(stream.status() == StatusCode::OK, "the inbox stream answered {}", stream.status());
        tokio::spawn(codes.clone().deliver(stream, seen));
        Ok(codes)
    }

    /// The next code for `number`, in E.164 form with `+`. Ask before it can have been sent.
    pub(in crate::cli) fn next(&self, number: String) -> oneshot::Receiver<String> {
        let (arrives, code) = oneshot::channel();
        self.lock().insert(number, arrives);
        code
    }

    /// Hands each code of the stream to whoever waits for it, until the stream ends.
    async fn deliver(
        self,
        stream: reqwest::Response,
        seen: impl Fn(&str) + Send,
    ) -> anyhow::Result<()> {
        let mut chunks = stream.bytes_stream();
        let mut text = Vec::new();
        while let Some(chunk) = chunks.next().await {
            text.extend_from_slice(&chunk?);
            // Whole lines only; what is left of the last one waits for the next chunk.
            let Some(end) = text.iter().rposition(|byte| *byte == b'\n') else { continue };
            let rest = text.split_off(end + 1);
            let lines = core::mem::replace(&mut text, rest);
            for line in lines.split(|byte| *byte == b'\n') {
                let Some(json) = line.strip_prefix(b"data:") else { continue };
                let Message { id, number, code } = serde_json::from_slice(json)?;
                seen(id);
                if let (Some(number), Some(code)) = (number, code)
                    && let Some(waiter) = self.lock().remove(number)
                {
                    // Gone if its measurement has ended.
                    _ = waiter.send(code.to_owned());
                }
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<String>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
