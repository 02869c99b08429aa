//! Two servers, one behind the other, and numbers that both have met.

use core::time::Duration;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

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

/// From one request about a number to the next: longer than any answer takes.
const PAUSE: Duration = Duration::from_millis(300);

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

const CHEAP: [(&str, &str); 2] =
    [("ROLLCALL__HASHING__MEMORY_KIB", "8"), ("ROLLCALL__HASHING__PASSES", "1")];

/// What a PIN's hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hashes {
    /// As little as can be: what is measured is the way, not the PIN.
    Cheap,
    /// What it costs by default.
    Default,
}

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

/// The servers and what they know.
pub(super) struct Stage {
    registrar: ServerProcess,
    gateway: ServerProcess,
    codes: Codes,
    /// Numbers that were not used yet, by side.
    direct: Vec<Met>,
    through: Vec<Met>,
}

impl Stage {
    /// Starts both servers and has each side meet `count` numbers.
    pub(super) async fn set(folder: &Path, count: usize, hashes: Hashes) -> anyhow::Result<Self> {
        let wabas = count.div_ceil(PER_WABA) * 2;
        let seed = seed(wabas)?;
        let registrar = started(&folder.join("registrar"), &seed, hashes).await?;
        let gateway = started(&folder.join("gateway"), &seed, hashes).await?;
        let operator = std::fs::read_to_string(folder.join("gateway/operator.token"))?;
        // The second half of the accounts is forwarded; the first has its numbers at the registrar alone.
        for place in wabas / 2..wabas {
            forward(&gateway, operator.trim(), place, &registrar.url("")).await?;
        }
        let codes = Codes::listen(&registrar, |_| ()).await?;
        let direct = met(&registrar, 0, count).await?;
        let through = met(&gateway, wabas / 2, count).await?;
        Ok(Self { registrar, gateway, codes, direct, through })
    }

    fn side(&mut self, side: Side) -> (&ServerProcess, &mut Vec<Met>) {
        match side {
            Side::Direct => (&self.registrar, &mut self.direct),
            Side::Gateway => (&self.gateway, &mut self.through),
        }
    }

    /// Registers numbers at `rate` requests a second, three for each.
    pub(super) async fn registrations(
        &mut self,
        side: Side,
        rate: f64,
        length: Duration,
    ) -> anyhow::Result<Seen> {
        let codes = self.codes.clone();
        let (server, fresh) = self.side(side);
        let lines = Lines::open(server.address).await?;
        let begun = now();
        let mut tasks = Vec::new();
        // The later requests of each number leave between the first ones of later numbers.
        for place in 0.. {
            let due = |step: usize| due(begun, 3 * place + step, rate);
            let leave = [due(0), due(1) + PAUSE, due(2) + 2 * PAUSE];
            if leave[0] - begun >= length {
                break;
            }
            let met = fresh.pop().context("all numbers are used up")?;
            let (lines, codes) = (Arc::clone(&lines), codes.clone());
            tasks.push(tokio::spawn(async move {
                let took = register(&lines, &codes, &met, leave).await?;
                anyhow::Ok((took, begun.elapsed().saturating_sub(2 * PAUSE)))
            }));
        }
        let (mut seen, mut elapsed) = ([const { Vec::new() }; 3], length);
        for task in tasks {
            let (took, answered) = task.await??;
            elapsed = elapsed.max(answered);
            for (kind, took) in seen.iter_mut().zip(took) {
                kind.push(took);
            }
        }
        Ok(Seen(seen.map(|latencies| Outcome::of(elapsed, latencies))))
    }

    pub(super) fn gateway_mib(&self) -> anyhow::Result<u64> {
        self.gateway.resident_mib()
    }

    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.gateway.stop()?;
        self.registrar.stop()
    }
}

/// Requests a code, confirms it, and registers with a PIN, each at its time.
async fn register(
    lines: &Lines,
    codes: &Codes,
    met: &Met,
    leave: [Instant; 3],
) -> anyhow::Result<[Duration; 3]> {
    tokio::time::sleep_until(leave[0].into()).await;
    let code = codes.next(met.number.clone());
    let body = json!({ "code_method": "SMS", "language": "en_US" });
    let asked = ask(lines, met, "request_code", &body).await?;
    let code =
        tokio::time::timeout(CODE_PATIENCE, code).await.context("a code did not arrive")??;
    tokio::time::sleep_until(leave[1].into()).await;
    let confirmed = ask(lines, met, "verify_code", &json!({ "code": code })).await?;
    tokio::time::sleep_until(leave[2].into()).await;
    let body = json!({ "messaging_product": "whatsapp", "pin": PIN });
    let registered = ask(lines, met, "register", &body).await?;
    Ok([asked, confirmed, registered])
}

/// One request about a number, which has to succeed.
async fn ask(lines: &Lines, met: &Met, edge: &str, body: &Value) -> anyhow::Result<Duration> {
    let path = format!("/v25.0/{}/{edge}", met.id);
    let (status, text, took) = lines.ask("POST", &path, TOKEN, body.to_string()).await?;
    ensure!(status == StatusCode::OK, "{edge}: {status} {}", String::from_utf8_lossy(&text));
    Ok(took)
}

/// A server with the accounts of the run.
async fn started(data: &Path, seed: &str, hashes: Hashes) -> anyhow::Result<ServerProcess> {
    let mut settings = SETTINGS.to_vec();
    if hashes == Hashes::Cheap {
        settings.extend(CHEAP);
    }
    let server = ServerProcess::start_with(data, &settings)?;
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
