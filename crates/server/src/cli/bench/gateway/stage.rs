//! Two servers, one behind the other, and numbers that both have met.

use core::time::Duration;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use http::StatusCode;
use serde_json::{Value, json};

use super::open_loop::{Lines, Seen, due};
use crate::cli::bench::load::Outcome;
use crate::cli::bench::now;
use crate::cli::rig::codes::Codes;
use crate::cli::rig::data;
use crate::cli::rig::server_process::ServerProcess;

/// Numbers in one account, as many as a portfolio of Meta's has (Cloud API reference §6).
const PER_WABA: usize = 20;

/// Calls that add numbers, at once, before anything is measured.
const ADDING: usize = 8;

/// From a code's request to its confirmation: longer than any answer takes.
const PAUSE: Duration = Duration::from_secs(1);

/// A code that has not arrived after this long never will.
const CODE_PATIENCE: Duration = Duration::from_secs(10);

const TOKEN: &str = "EAAbench";

const PIN: &str = "024680";

/// Limits of the Graph dialect that would stop a load generator are out of the way.
const SETTINGS: &[(&str, &str)] = &[
    ("ROLLCALL__GRAPH__APP_CALLS_PER_HOUR", "1000000000"),
    ("ROLLCALL__GRAPH__WABA_CALLS_PER_HOUR", "1000000000"),
    ("ROLLCALL__GRAPH__REGISTERED_WABA_CALLS_PER_HOUR", "1000000000"),
];

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The registrar itself.
    Direct,
    /// The gateway in front of it.
    Gateway,
}

/// A number as one side knows it.
#[derive(Debug, Clone)]
struct Met {
    /// With `+`.
    number: String,
    /// Its id on that side.
    id: String,
}

/// Numbers of one side: those that were not used yet, and those whose code is confirmed.
#[derive(Debug, Default)]
struct Numbers {
    fresh: Vec<Met>,
    proven: Vec<Met>,
}

/// The servers and what they know.
pub(super) struct Stage {
    registrar: ServerProcess,
    gateway: ServerProcess,
    codes: Codes,
    direct: Numbers,
    through: Numbers,
}

impl Stage {
    /// Starts both servers and has each side meet `count` numbers.
    pub(super) async fn set(folder: &Path, count: usize) -> anyhow::Result<Self> {
        let wabas = count.div_ceil(PER_WABA) * 2;
        let seed = seed(wabas)?;
        let registrar = started(&folder.join("registrar"), &seed).await?;
        let gateway = started(&folder.join("gateway"), &seed).await?;
        let operator = std::fs::read_to_string(folder.join("gateway/operator.token"))?;
        // The second half of the accounts is forwarded; the first has its numbers at the registrar alone.
        for place in wabas / 2..wabas {
            forward(&gateway, operator.trim(), place, &registrar.url("")).await?;
        }
        let codes = Codes::listen(&registrar, |_| ()).await?;
        let direct = met(&registrar, 0, count).await?;
        let through = met(&gateway, wabas / 2, count).await?;
        let numbers = |fresh| Numbers { fresh, proven: Vec::new() };
        Ok(Self { registrar, gateway, codes, direct: numbers(direct), through: numbers(through) })
    }

    fn side(&mut self, side: Side) -> (&ServerProcess, &mut Numbers) {
        match side {
            Side::Direct => (&self.registrar, &mut self.direct),
            Side::Gateway => (&self.gateway, &mut self.through),
        }
    }

    /// Requests and confirms codes at `rate` requests a second.
    pub(super) async fn codes(
        &mut self,
        side: Side,
        rate: f64,
        length: Duration,
    ) -> anyhow::Result<Seen> {
        let codes = self.codes.clone();
        let (server, numbers) = self.side(side);
        let lines = Lines::open(server.address).await?;
        let begun = now();
        let mut tasks = Vec::new();
        // The second request of each pair leaves between the first ones of later pairs.
        for place in 0.. {
            let first = due(begun, 2 * place, rate);
            if first - begun >= length {
                break;
            }
            let second = due(begun, 2 * place + 1, rate) + PAUSE;
            let met = numbers.fresh.pop().context("all numbers are used up")?;
            let (lines, codes) = (Arc::clone(&lines), codes.clone());
            tasks.push(tokio::spawn(async move {
                tokio::time::sleep_until(first.into()).await;
                let code = codes.next(met.number.clone());
                let body = json!({ "code_method": "SMS", "language": "en_US" });
                let asked = ask(&lines, &met, "request_code", &body).await?;
                let answered = begun.elapsed();
                let code = tokio::time::timeout(CODE_PATIENCE, code);
                let code = code.await.context("a code did not arrive")??;
                tokio::time::sleep_until(second.into()).await;
                let confirmed = ask(&lines, &met, "verify_code", &json!({ "code": code })).await?;
                anyhow::Ok((met, asked, confirmed, answered))
            }));
        }
        let (mut first, mut second, mut elapsed) = (Vec::new(), Vec::new(), length);
        for task in tasks {
            let (met, asked, confirmed, answered) = task.await??;
            elapsed = elapsed.max(answered);
            numbers.proven.push(met);
            first.push(asked);
            second.push(confirmed);
        }
        Ok(Seen { first: Outcome::of(elapsed, first), second: Outcome::of(elapsed, second) })
    }

    /// Registers, with a PIN, numbers whose code was confirmed.
    pub(super) async fn registrations(
        &mut self,
        side: Side,
        rate: f64,
        length: Duration,
    ) -> anyhow::Result<Outcome> {
        let (server, numbers) = self.side(side);
        let lines = Lines::open(server.address).await?;
        let begun = now();
        let mut tasks = Vec::new();
        for place in 0.. {
            let leaves = due(begun, place, rate);
            let Some(met) = numbers.proven.pop() else { break };
            if leaves - begun >= length {
                break;
            }
            let lines = Arc::clone(&lines);
            tasks.push(tokio::spawn(async move {
                tokio::time::sleep_until(leaves.into()).await;
                let body = json!({ "messaging_product": "whatsapp", "pin": PIN });
                ask(&lines, &met, "register", &body).await
            }));
        }
        let mut latencies = Vec::with_capacity(tasks.len());
        for task in tasks {
            latencies.push(task.await??);
        }
        Ok(Outcome::of(length, latencies))
    }

    pub(super) fn gateway_mib(&self) -> anyhow::Result<u64> {
        self.gateway.resident_mib()
    }

    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.gateway.stop()?;
        self.registrar.stop()
    }
}

/// One request about a number, which has to succeed.
async fn ask(lines: &Lines, met: &Met, edge: &str, body: &Value) -> anyhow::Result<Duration> {
    let path = format!("/v25.0/{}/{edge}", met.id);
    let (status, text, took) = lines.ask("POST", &path, TOKEN, body.to_string()).await?;
    ensure!(status == StatusCode::OK, "{edge}: {status} {}", String::from_utf8_lossy(&text));
    Ok(took)
}

/// A server with the accounts of the run.
async fn started(data: &Path, seed: &str) -> anyhow::Result<ServerProcess> {
    let server = ServerProcess::start_with(data, SETTINGS)?;
    let sent = reqwest::Client::new().post(server.url("/sandbox/v1/seed")).body(seed.to_owned());
    let reply = sent.send().await?;
    let status = reply.status();
    ensure!(status.is_success(), "the seed: {status} {}", reply.text().await?);
    Ok(server)
}

fn seed(wabas: usize) -> anyhow::Result<String> {
    let mut text = format!(
        "[[account]]\nname = \"default\"\n[[account.graph_token]]\ntoken = \"{TOKEN}\"\n\
         [[account.space]]\ncust_space_id = \"bench\"\n"
    );
    for place in 0..wabas {
        writeln!(text, "[[account.space.waba]]\nid = \"{}\"", waba(place))?;
    }
    Ok(text)
}

fn waba(place: usize) -> String {
    (102_290_129_340_000 + place).to_string()
}

/// Makes the server at `url` the authority for an account of the gateway.
async fn forward(
    gateway: &ServerProcess,
    operator: &str,
    place: usize,
    url: &str,
) -> anyhow::Result<()> {
    let path = format!("/admin/v1/wabas/{}/upstream", waba(place));
    let body = json!({ "registrar": "meta", "base_url": url, "token": TOKEN });
    let request = reqwest::Client::new().put(gateway.url(&path)).bearer_auth(operator);
    let request = request.header("content-type", "application/json").body(body.to_string());
    let reply = request.send().await?;
    let status = reply.status();
    ensure!(status.is_success(), "{path}: {status} {}", reply.text().await?);
    Ok(())
}

/// Adds `count` numbers to accounts of `server`, the first of which is `first_waba`.
async fn met(server: &ServerProcess, first_waba: usize, count: usize) -> anyhow::Result<Vec<Met>> {
    let lines = Lines::open(server.address).await?;
    let mut tasks = Vec::new();
    for worker in 0..ADDING {
        let lines = Arc::clone(&lines);
        tasks.push(tokio::spawn(async move {
            let mut done = Vec::new();
            for place in (worker..count).step_by(ADDING) {
                let waba = first_waba + place / PER_WABA;
                // Numbers of their own for each side.
                let (cc, national) = data::number(first_waba * PER_WABA + place);
                let body =
                    json!({ "cc": cc, "phone_number": national, "verified_name": "Lucky Shrub" });
                let path = format!("/v25.0/{}/phone_numbers", self::waba(waba));
                let (status, text, _) = lines.ask("POST", &path, TOKEN, body.to_string()).await?;
                let said = String::from_utf8_lossy(&text);
                ensure!(status == StatusCode::OK, "{path}: {status} {said}");
                let answer: Value = serde_json::from_slice(&text)?;
                let id = answer["id"].as_str().context("a number was added without an id")?;
                done.push(Met { number: format!("+{cc}{national}"), id: id.to_owned() });
            }
            anyhow::Ok(done)
        }));
    }
    let mut all = Vec::with_capacity(count);
    for task in tasks {
        all.extend(task.await??);
    }
    Ok(all)
}
