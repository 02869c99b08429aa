//! The load of one round: callers that register, guess wrong, set PINs and ask for what is refused, and
//! write down each answer the moment they have it.

use core::time::Duration;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, ensure};
use http::StatusCode;
use service::ports::SendId;

use super::chance::Chance;
use super::journal::Journal;
use crate::cli::rig::codes::Codes;
use crate::cli::rig::connection::Connection;
use crate::cli::rig::data::{self, Token};
use crate::cli::rig::foreign_certificate;
use crate::cli::rig::server_process::ServerProcess;

/// Callers at once. Enough that several commits share a flush when the crash comes.
const CALLERS: usize = 12;

/// Numbers that may be begun in one round; callers go on with what they have after it.
pub(super) const NUMBERS_PER_ROUND: usize = 150;

/// A code that has not arrived after this long never will.
const CODE_PATIENCE: Duration = Duration::from_secs(10);

/// What the callers of all rounds share.
pub(super) struct Shared {
    pub(super) tokens: Vec<Token>,
    pub(super) journal: Mutex<Journal>,
    /// The next client, and number, that nobody has used.
    next: AtomicUsize,
}

impl Shared {
    pub(super) fn new(tokens: Vec<Token>) -> Arc<Self> {
        Arc::new(Self { tokens, journal: Mutex::default(), next: AtomicUsize::new(0) })
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The end of the numbers that this round may use.
    fn reserve(&self) -> usize {
        let begun = self.next.load(Ordering::Relaxed);
        (begun + NUMBERS_PER_ROUND).min(self.idle())
    }

    /// The last client, which never asks for a number.
    fn idle(&self) -> usize {
        self.tokens.len() - 1
    }

    fn take(&self, end: usize) -> Option<usize> {
        let next = |place| (place < end).then_some(place + 1);
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()
    }
}

/// Puts `server` under load for `length` and kills it in the middle of it.
///
/// Fails if the server gave an answer that it must not give, or hung up before it was killed.
pub(super) async fn until_killed(
    server: ServerProcess,
    shared: &Arc<Shared>,
    length: Duration,
    chance: &mut Chance,
) -> anyhow::Result<()> {
    let noted = Arc::clone(shared);
    let codes = Codes::listen(&server, move |id| {
        if let Some(id) = SendId::parse(id) {
            noted.journal().message(id);
        }
    })
    .await?;
    let mut callers = tokio::task::JoinSet::new();
    let end = shared.reserve();
    for _ in 0..CALLERS {
        let caller = Caller {
            connection: Connection::open(server.address).await?,
            shared: Arc::clone(shared),
            codes: codes.clone(),
            chance: chance.fork(),
            end,
            mine: Vec::new(),
        };
        callers.spawn(caller.call());
    }
    let ended = tokio::time::timeout(length, callers.join_next()).await;
    server.kill()?;
    callers.shutdown().await;
    match ended {
        Ok(Some(Ok(Err(error)))) => Err(error),
        Ok(Some(Err(error))) => Err(error.into()),
        // Nobody ended before the crash, which is how it should be: callers call for ever.
        Ok(Some(Ok(Ok(never)))) => match never {},
        Ok(None) | Err(_) => Ok(()),
    }
}

struct Caller {
    connection: Connection,
    shared: Arc<Shared>,
    codes: Codes,
    chance: Chance,
    /// Places from here on belong to later rounds.
    end: usize,
    /// Numbers that this caller has registered.
    mine: Vec<usize>,
}

impl Caller {
    async fn call(mut self) -> anyhow::Result<core::convert::Infallible> {
        loop {
            let known = self.mine.len() as u64;
            if known > 0 && self.chance.percent(30) {
                let place = self.mine[usize::try_from(self.chance.below(known))?];
                self.set_pin(place).await?;
            } else if let Some(place) = self.shared.take(self.end) {
                self.register(place).await?;
            } else {
                self.be_refused().await?;
            }
        }
    }

    async fn register(&mut self, place: usize) -> anyhow::Result<()> {
        let (cc, national) = data::number(place);
        let code = self.codes.next(format!("+{cc}{national}"));
        self.request_code(place, StatusCode::ACCEPTED).await?;
        self.shared.journal().code_sent(place);
        if self.chance.percent(15) {
            // Too soon. This one is left waiting for its code.
            self.request_code(place, StatusCode::FORBIDDEN).await?;
            self.shared.journal().counts.refused += 1;
            return Ok(());
        }
        let code =
            tokio::time::timeout(CODE_PATIENCE, code).await.context("a code did not arrive")??;
        if self.chance.percent(25) {
            let wrong = if code == "000000" { "000001" } else { "000000" };
            self.verify(place, wrong, StatusCode::FORBIDDEN).await?;
            self.shared.journal().mismatch(place);
        }
        self.verify(place, &code, StatusCode::CREATED).await?;
        self.shared.journal().registered(place);
        self.mine.push(place);
        Ok(())
    }

    async fn request_code(&mut self, place: usize, expected: StatusCode) -> anyhow::Result<()> {
        let body = code_request(place, None);
        self.expect(place, "account", body, expected).await
    }

    async fn verify(
        &mut self,
        place: usize,
        code: &str,
        expected: StatusCode,
    ) -> anyhow::Result<()> {
        let body = format!(r#"{{"code":"{code}"}}"#);
        self.expect(place, "account/verify", body, expected).await
    }

    async fn set_pin(&mut self, place: usize) -> anyhow::Result<()> {
        let pin = format!("{:06}", self.chance.below(1_000_000));
        self.shared.journal().pin_asked(place);
        let body = format!(r#"{{"pin":"{pin}"}}"#);
        self.expect(place, "settings/account/two-step", body, StatusCode::OK).await?;
        self.shared.journal().pin_set(place, pin);
        Ok(())
    }

    /// A guess where no code is awaited: refused, and recorded in the trail.
    async fn be_refused(&mut self) -> anyhow::Result<()> {
        let place = self.shared.idle();
        self.verify(place, "123456", StatusCode::FORBIDDEN).await?;
        self.shared.journal().counts.refused += 1;
        Ok(())
    }

    async fn expect(
        &mut self,
        place: usize,
        path: &str,
        body: String,
        expected: StatusCode,
    ) -> anyhow::Result<()> {
        let token = &self.shared.tokens[place];
        ask(&mut self.connection, token, path, body, expected).await
    }
}

/// Posts to a client's path and insists on a status.
pub(super) async fn ask(
    connection: &mut Connection,
    token: &Token,
    path: &str,
    body: String,
    expected: StatusCode,
) -> anyhow::Result<()> {
    let path = format!("/clients/{}/v1/{path}", token.client);
    let (status, text) = connection.ask("POST", &path, Some(&token.token), body).await?;
    let said = String::from_utf8_lossy(&text);
    ensure!(status == expected, "POST {path}: {status} instead of {expected}: {said}");
    Ok(())
}

/// The body that asks for a code, or with a PIN for the registration itself.
pub(super) fn code_request(place: usize, pin: Option<&str>) -> String {
    let (cc, national) = data::number(place);
    let mut body = serde_json::json!({
        "cc": cc, "phone_number": national, "method": "sms", "cert": foreign_certificate(),
    });
    if let Some(pin) = pin {
        body["pin"] = pin.into();
    }
    body.to_string()
}
