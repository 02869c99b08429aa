//! For whom the rows are: WABAs and clients, as the server knows them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::client::{Client, Failure, segment};
use super::check::Row;
use super::faults::Fault;

/// Fills in what rows leave open, and finds those whose WABA or client does not exist. Those are taken out.
pub(super) async fn settle(
    client: &Client,
    rows: Vec<Row>,
) -> Result<(Vec<Row>, Vec<Fault>), Failure> {
    let mut known =
        Known { client, wabas: BTreeMap::new(), clients: BTreeMap::new(), only: Only::Unasked };
    let (mut sound, mut faults) = (Vec::with_capacity(rows.len()), Vec::new());
    for mut row in rows {
        match known.settle(&mut row).await? {
            None => sound.push(row),
            Some(fault) => faults.push(fault),
        }
    }
    Ok((sound, faults))
}

/// What the server was asked already.
struct Known<'a> {
    client: &'a Client,
    /// Whether a WABA exists.
    wabas: BTreeMap<String, bool>,
    /// The WABA of a client, if there is that client.
    clients: BTreeMap<String, Option<String>>,
    only: Only,
}

/// The WABA of rows that name none.
enum Only {
    Unasked,
    /// There are several, or none.
    None,
    Waba(String),
}

impl Known<'_> {
    async fn settle(&mut self, row: &mut Row) -> Result<Option<Fault>, Failure> {
        if let Some(client) = &row.client {
            let Some(waba) = self.waba_of(client).await? else {
                let fault = Fault::new(row.line, "client", format!("there is no client {client}"));
                return Ok(Some(fault));
            };
            row.waba.get_or_insert(waba);
        }
        let Some(waba) = &row.waba else {
            row.waba = self.only().await?;
            let fault = Fault::new(row.line, "waba", "is missing, and there are several");
            let hint = "see them with rollcall wabas list; --waba names one for all";
            return Ok(row.waba.is_none().then(|| fault.hint(hint)));
        };
        if self.exists(waba).await? {
            return Ok(None);
        }
        let fault = Fault::new(row.line, "waba", format!("there is no WABA {waba}"));
        Ok(Some(fault.hint("see them with rollcall wabas list")))
    }

    async fn exists(&mut self, waba: &str) -> Result<bool, Failure> {
        if let Some(exists) = self.wabas.get(waba) {
            return Ok(*exists);
        }
        let exists = self.found(&format!("/wabas/{}", segment(waba))).await?.is_some();
        self.wabas.insert(waba.to_owned(), exists);
        Ok(exists)
    }

    async fn waba_of(&mut self, client: &str) -> Result<Option<String>, Failure> {
        if let Some(waba) = self.clients.get(client) {
            return Ok(waba.clone());
        }
        let found = self.found(&format!("/clients/{}", segment(client))).await?;
        let waba = found.and_then(|it| it["waba"].as_str().map(str::to_owned));
        self.clients.insert(client.to_owned(), waba.clone());
        Ok(waba)
    }

    async fn only(&mut self) -> Result<Option<String>, Failure> {
        match &self.only {
            Only::Unasked => {}
            Only::None => return Ok(None),
            Only::Waba(waba) => return Ok(Some(waba.clone())),
        }
        let page = self.client.get("/wabas", &[("limit", Some("2".to_owned()))]).await?;
        let only = match page["items"].as_array().map(Vec::as_slice) {
            Some([waba]) => waba["id"].as_str().map(str::to_owned),
            _ => None,
        };
        self.only = only.clone().map_or(Only::None, Only::Waba);
        Ok(only)
    }

    async fn found(&self, path: &str) -> Result<Option<Value>, Failure> {
        match self.client.get(path, &[]).await {
            Ok(found) => Ok(Some(found)),
            Err(Failure::Answered(body)) if body["error"]["code"] == "not_found" => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}
