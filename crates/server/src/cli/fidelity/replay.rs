//! The replay: a server of its own is asked what was asked then, with numbers and ids of its own in place of
//! those that were replaced.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context as _, ensure};
use outbound::registrar::alibaba::request::{Key, sign};
use registration::Timestamp;
use reqwest::Method;
use serde_json::{Map, Value, json};
use service::ports::EntropyExt as _;

use super::compare::{Report, differences};
use super::exchange::{Dialect, Exchange, read};
use super::redact::{CODE, TEXT};
use crate::cli::rig::server_process::ServerProcess;
use crate::entropy::OsEntropy;

const TOKEN: &str = "EAAfidelity";
const KEY_ID: &str = "LTAI5tFidelity000000001";
const KEY_SECRET: &str = "FidelitySecretForReplays000001";
const SPACE: &str = "fidelity";
const NAME: &str = "Lucky Shrub";

/// Time for a code to be in the inbox.
const CODE_WAIT: &str = "5s";

/// Replays all exchanges of a file.
pub(super) async fn run(file: &Path) -> anyhow::Result<Report> {
    let exchanges = read(file)?;
    ensure!(!exchanges.is_empty(), "{} holds no exchanges", file.display());
    let folder = tempfile::Builder::new().prefix("rollcall-fidelity-").tempdir()?;
    let mut replay = Replay::start(folder.path(), &exchanges).await?;
    let mut report = Report::default();
    for exchange in &exchanges {
        replay.advance_to(exchange.at_ms).await?;
        match replay.again(exchange).await? {
            Some((status, answer)) => {
                let found = differences(exchange, status, &answer);
                report.replayed(exchange.endpoint(), found);
                replay.learn(exchange, &answer);
            }
            None => report.left_out(exchange.endpoint()),
        }
    }
    replay.server.stop()?;
    Ok(report)
}

struct Replay {
    server: ServerProcess,
    client: reqwest::Client,
    /// Ids of this server by their names in the record.
    ids: HashMap<String, String>,
    /// Numbers that this server has, by their names.
    numbers: BTreeSet<String>,
    /// The WABA in which numbers are made that were there before the record began.
    waba: Option<String>,
    /// The latest message to each number: its id and code.
    codes: HashMap<String, (String, String)>,
    /// Numbers to which a code was sent since.
    sent: BTreeSet<String>,
    /// Numbers by the ids of their entries.
    number_of: HashMap<String, String>,
    at_ms: u64,
}

impl Replay {
    /// A server with a WABA for each that the record names.
    async fn start(folder: &Path, exchanges: &[Exchange]) -> anyhow::Result<Self> {
        let graph = exchanges.iter().filter(|it| it.dialect == Dialect::Graph);
        let wabas: BTreeSet<_> = graph
            .filter_map(|it| it.target.split_once('/'))
            .filter(|(_, edge)| matches!(*edge, "phone_numbers" | "subscribed_apps"))
            .map(|(id, _)| id.to_owned())
            .collect();
        let ids: HashMap<_, _> = wabas
            .iter()
            .enumerate()
            .map(|(place, name)| (name.clone(), (102_290_129_340_398 + place).to_string()))
            .collect();
        let server = ServerProcess::start(folder)?;
        let client = reqwest::Client::new();
        let replay = Self {
            waba: wabas.first().and_then(|name| ids.get(name)).cloned(),
            server,
            client,
            ids,
            numbers: BTreeSet::new(),
            codes: HashMap::new(),
            sent: BTreeSet::new(),
            number_of: HashMap::new(),
            at_ms: 0,
        };
        let seed = replay.seed();
        replay.sandbox("seed", seed).await?;
        replay.sandbox("clock", json!({ "freeze": true }).to_string()).await?;
        Ok(replay)
    }

    fn seed(&self) -> String {
        let mut wabas: Vec<_> = self.ids.values().collect();
        wabas.sort();
        let mut text = format!(
            "[[account]]\nname = \"default\"\n[[account.access_key]]\nid = \"{KEY_ID}\"\n\
             secret = \"{KEY_SECRET}\"\n[[account.graph_token]]\ntoken = \"{TOKEN}\"\n\
             [[account.space]]\ncust_space_id = \"{SPACE}\"\n"
        );
        if wabas.is_empty() {
            text.push_str("[[account.space.waba]]\nid = \"102290129340398\"\n");
        }
        for waba in wabas {
            text.push_str("[[account.space.waba]]\nid = \"");
            text.push_str(waba);
            text.push_str("\"\n");
        }
        text
    }

    async fn sandbox(&self, what: &str, body: String) -> anyhow::Result<()> {
        let url = self.server.url(&format!("/sandbox/v1/{what}"));
        let request = self.client.post(url).header("content-type", "application/json").body(body);
        let reply = request.send().await?;
        let status = reply.status();
        ensure!(status.is_success(), "{what}: {status} {}", reply.text().await?);
        Ok(())
    }

    /// The distances between requests decide what limits say.
    async fn advance_to(&mut self, at_ms: u64) -> anyhow::Result<()> {
        let seconds = at_ms.saturating_sub(self.at_ms) / 1000;
        if seconds > 0 {
            self.sandbox("clock", json!({ "advance_seconds": seconds }).to_string()).await?;
            self.at_ms += seconds * 1000;
        }
        Ok(())
    }

    /// Says it again. `None` if it is about something that nothing before it made known.
    async fn again(&mut self, exchange: &Exchange) -> anyhow::Result<Option<(u16, Value)>> {
        self.meet(&exchange.answer).await?;
        match exchange.dialect {
            Dialect::Graph => {
                let (name, edge) =
                    exchange.target.split_once('/').unwrap_or((&exchange.target, ""));
                let Some(id) = self.ids.get(name).cloned() else { return Ok(None) };
                let number = self.number_of.get(&id).cloned();
                let parameters = self.parameters(exchange, number.as_deref()).await?;
                let path = format!("{id}/{edge}");
                let path = path.trim_end_matches('/');
                let answer = self.graph(&exchange.method, path, &parameters).await?;
                if edge == "request_code" && answer.0 == 200 {
                    self.sent.extend(number);
                }
                Ok(Some(answer))
            }
            Dialect::Cams => {
                let number = exchange.parameters.get("PhoneNumber").and_then(Value::as_str);
                let number = number.map(str::to_owned);
                let parameters = self.parameters(exchange, number.as_deref()).await?;
                let answer = self.cams(&exchange.target, &parameters).await?;
                if exchange.target == "GetChatappVerifyCode" && answer.1["Code"] == "OK" {
                    self.sent.extend(number);
                }
                Ok(Some(answer))
            }
        }
    }

    /// Numbers that were there before the record began are made here, so that lists have the same rows.
    async fn meet(&mut self, answer: &Value) -> anyhow::Result<()> {
        let rows = answer["data"].as_array().or_else(|| answer["PhoneNumbers"].as_array());
        let names: Vec<_> = rows.into_iter().flatten().filter_map(number_in).collect();
        for name in names {
            let Some(waba) = self.waba.clone() else { return Ok(()) };
            if self.numbers.insert(name.clone()) {
                let Some(national) = national(&name) else { continue };
                let body = json!({ "cc": "44", "phone_number": national, "verified_name": NAME });
                let body = body.as_object().cloned().unwrap_or_default();
                self.graph("POST", &format!("{waba}/phone_numbers"), &body).await?;
            }
        }
        Ok(())
    }

    /// The parameters with values of this server.
    async fn parameters(
        &mut self,
        exchange: &Exchange,
        number: Option<&str>,
    ) -> anyhow::Result<Map<String, Value>> {
        let whole = exchange.target != "AddChatappPhoneNumber" && exchange.dialect == Dialect::Cams;
        let mut all = Map::new();
        for (key, value) in &exchange.parameters {
            let text = value.as_str().unwrap_or_default();
            let actual = match key.as_str() {
                "cc" | "Cc" => json!("44"),
                "phone_number" | "PhoneNumber" => {
                    self.numbers.insert(text.to_owned());
                    let national = national(text).unwrap_or_default();
                    json!(if whole { format!("44{national}") } else { national })
                }
                "verified_name" | "VerifiedName" => json!(NAME),
                "CustSpaceId" => json!(SPACE),
                "pin" => json!(pin(text)),
                "code" | "VerifyCode" if text == CODE => {
                    json!(self.code(number, exchange.succeeded()).await?)
                }
                // A place in a list that is another one here.
                "after" | "before" if text == TEXT => continue,
                _ if text.starts_with("id:") => match self.ids.get(text) {
                    Some(id) => json!(id),
                    None => value.clone(),
                },
                _ => value.clone(),
            };
            all.insert(key.clone(), actual);
        }
        Ok(all)
    }

    /// The code that was sent to a number, or another one where it was refused then.
    async fn code(&mut self, number: Option<&str>, right: bool) -> anyhow::Result<String> {
        if let Some(number) = number
            && self.sent.remove(number)
        {
            let full = format!("+44{}", national(number).unwrap_or_default());
            let mut query = vec![("number", full), ("timeout", CODE_WAIT.to_owned())];
            if let Some((latest, _)) = self.codes.get(number) {
                query.push(("after", latest.clone()));
            }
            let url = self.server.url("/sandbox/v1/inbox/wait");
            let (_, message) = answered(self.client.get(url).query(&query).send().await?).await?;
            if let (Some(id), Some(code)) = (message["id"].as_str(), message["code"].as_str()) {
                self.codes.insert(number.to_owned(), (id.to_owned(), code.to_owned()));
            }
        }
        let latest = number.and_then(|number| self.codes.get(number));
        let code = latest.map_or_else(|| "000000".to_owned(), |(_, code)| code.clone());
        if right {
            return Ok(code);
        }
        let other = code.parse::<u32>().map_or(1, |it| (it + 1) % 1_000_000);
        Ok(format!("{other:06}"))
    }

    async fn graph(
        &self,
        method: &str,
        path: &str,
        parameters: &Map<String, Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let method: Method = method.parse().context("a method")?;
        let url = self.server.url(&format!("/v25.0/{path}"));
        let mut request = self.client.request(method.clone(), url).bearer_auth(TOKEN);
        if method == Method::GET || method == Method::DELETE {
            let text =
                |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let query: Vec<_> = parameters.iter().map(|(key, it)| (key, text(it))).collect();
            request = request.query(&query);
        } else if !parameters.is_empty() {
            request = request.json(parameters);
        }
        answered(request.send().await?).await
    }

    async fn cams(
        &self,
        action: &str,
        parameters: &Map<String, Value>,
    ) -> anyhow::Result<(u16, Value)> {
        let clock = self.client.get(self.server.url("/sandbox/v1/clock")).send().await?;
        let (_, clock) = answered(clock).await?;
        let now: jiff::Timestamp = clock["now"].as_str().unwrap_or_default().parse()?;
        let pairs: Vec<_> = parameters
            .iter()
            .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
            .collect();
        let key = Key { id: KEY_ID, secret: KEY_SECRET, security_token: None };
        let nonce = hex::encode(OsEntropy.bytes::<16>());
        let now = Timestamp::from_millis(now.as_millisecond());
        let base = self.server.url("");
        let signed = sign(&base, action, &pairs, &key, now, &nonce).context("an address")?;
        let mut request = self.client.post(signed.url);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        answered(request.send().await?).await
    }

    /// Takes over which ids stand here for those of the record.
    fn learn(&mut self, exchange: &Exchange, here: &Value) {
        let recorded = &exchange.answer;
        if let (Some(name), Some(id)) = (recorded["id"].as_str(), here["id"].as_str()) {
            let added = exchange.parameters.get("phone_number").and_then(Value::as_str);
            self.know(name, id, number_in(recorded).or_else(|| added.map(str::to_owned)));
        }
        let rows = here["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        for row in recorded["data"].as_array().into_iter().flatten() {
            let (Some(name), Some(number)) = (row["id"].as_str(), number_in(row)) else { continue };
            let wanted = national(&number).map(|national| format!("44{national}"));
            let same = |it: &&Value| {
                let shown = it["display_phone_number"].as_str().unwrap_or_default();
                let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
                Some(digits) == wanted
            };
            if let Some(id) = rows.iter().find(same).and_then(|it| it["id"].as_str()) {
                self.know(name, id, Some(number));
            }
        }
    }

    fn know(&mut self, name: &str, id: &str, number: Option<String>) {
        self.ids.insert(name.to_owned(), id.to_owned());
        if let Some(number) = number {
            self.number_of.insert(id.to_owned(), number);
        }
    }
}

/// The name of the number that a row or node is about.
fn number_in(row: &Value) -> Option<String> {
    let name = row["display_phone_number"].as_str().or_else(|| row["PhoneNumber"].as_str())?;
    national(name).map(|_| name.to_owned())
}

/// A number kept for drama, in place of one that was replaced: mobile or landline, as that was.
fn national(name: &str) -> Option<String> {
    let (class, place) = name.split_once(':')?;
    let place = place.parse::<u32>().ok()? % 1000;
    match class {
        "number" => Some(format!("7700900{place:03}")),
        "landline" => Some(format!("2079460{place:03}")),
        _ => None,
    }
}

fn pin(name: &str) -> String {
    let place = name.rsplit(':').next().and_then(|place| place.parse::<u32>().ok());
    format!("{:06}", 246_800 + place.unwrap_or(0) % 1000)
}

async fn answered(reply: reqwest::Response) -> anyhow::Result<(u16, Value)> {
    let status = reply.status().as_u16();
    Ok((status, serde_json::from_slice(&reply.bytes().await?).unwrap_or(Value::Null)))
}
