//! What must be found after a crash, read from the database itself and asked over the wire.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use http::StatusCode;
use registration::{ClaimPhase, ClientId, NumberRecord, PhoneNumber, Platform, TextId as _};
use serde_json::Value;
use service::audit::ChainVerifier;
use service::ports::{
    AuditQuery, NumberKey, NumberQuery, Send, SendId, SendQuery, SendState, Store,
};

use super::journal::Told;
use super::load::{self, Shared};
use crate::cli::rig::connection::Connection;
use crate::cli::rig::data;
use crate::cli::rig::server_process::ServerProcess;

/// Rows read at once.
const PAGE: usize = 500;

/// A send that is not handed over so long after a restart is lost: the worker looks every half second.
const DRAIN_PATIENCE: Duration = Duration::from_secs(5);

/// Pause between two looks at the ledger.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What was found in the rounds so far.
#[derive(Default)]
pub(super) struct Findings {
    chain: ChainVerifier,
    /// Every send that was found handed over, as it was found.
    handed_over: BTreeMap<SendId, Send>,
    /// The newest send of the rounds that are over.
    settled: Option<SendId>,
    /// Sends that a crash interrupted and the restart finished.
    pub(super) finished_later: u64,
}

impl Findings {
    pub(super) fn audit_entries(&self) -> u64 {
        self.chain.len()
    }

    pub(super) fn sends(&self) -> usize {
        self.handed_over.len()
    }

    /// Right after the crash: what was announced as handed over is recorded as that.
    pub(super) async fn after_crash(
        &mut self,
        store: &dyn Store,
        shared: &Shared,
    ) -> anyhow::Result<()> {
        let rows = rows_after(store, self.settled).await?;
        self.finished_later += rows.iter().filter(|row| !is_handed_over(row)).count() as u64;
        let done = rows.into_iter().filter(is_handed_over).map(|row| (row.id, row));
        self.handed_over.extend(done);
        for id in shared.journal().announced() {
            let known = self.handed_over.contains_key(&id);
            ensure!(known, "message {id} was announced and is not recorded as handed over");
        }
        Ok(())
    }

    /// After the restart: the answers, the trail and the ledger. With `everything`, of all rounds.
    pub(super) async fn after_restart(
        &mut self,
        store: &dyn Store,
        shared: &Shared,
        touched: &[(usize, Told)],
        everything: bool,
    ) -> anyhow::Result<()> {
        self.outbox_drains(store).await?;
        let twice = shared.journal().twice().to_vec();
        ensure!(twice.is_empty(), "messages were announced twice: {twice:?}");
        if everything {
            // From the first entry on: what was verified before could have been changed since.
            self.chain = ChainVerifier::new();
            self.ledger_stands(store).await?;
            one_number_per_client(store).await?;
        }
        self.chain_holds(store).await?;
        let all = if everything { shared.journal().all() } else { Vec::new() };
        for (place, told) in touched.iter().chain(&all) {
            let client = &shared.tokens[*place].client;
            answers_stand(store, *place, client, told)
                .await
                .with_context(|| format!("number {place} of client {client}, told {told:?}"))?;
        }
        Ok(())
    }

    /// Follows the chain from where it was verified to: so it also proves that nothing before changed.
    async fn chain_holds(&mut self, store: &dyn Store) -> anyhow::Result<()> {
        loop {
            let query =
                AuditQuery { after: self.chain.len(), limit: PAGE, ..AuditQuery::default() };
            let entries = store.audit(&query).await?;
            for entry in &entries {
                self.chain.push(entry).context("the audit chain is broken")?;
            }
            if entries.len() < PAGE {
                return Ok(());
            }
        }
    }

    /// What was handed over before the crash stands as it stood; the rest is handed over soon.
    async fn outbox_drains(&mut self, store: &dyn Store) -> anyhow::Result<()> {
        let mut waited = Duration::ZERO;
        let rows = loop {
            let rows = rows_after(store, self.settled).await?;
            let Some(stuck) = rows.iter().find(|row| !is_handed_over(row)) else { break rows };
            ensure!(waited < DRAIN_PATIENCE, "send {} stays {:?}", stuck.id, stuck.state);
            tokio::time::sleep(LOOK_EVERY).await;
            waited += LOOK_EVERY;
        };
        // Each number is asked for within one round, and a second code comes a minute later at best.
        let mut numbers = BTreeSet::new();
        for row in rows {
            ensure!(numbers.insert(row.number), "send {} is the second to its number", row.id);
            self.settled = self.settled.max(Some(row.id));
            self.stands(&row)?;
        }
        Ok(())
    }

    /// The same for all rounds: no row changed, none came or went.
    async fn ledger_stands(&mut self, store: &dyn Store) -> anyhow::Result<()> {
        let known = self.handed_over.len();
        let rows = rows_after(store, None).await?;
        ensure!(rows.len() == known, "the ledger has {} rows, not {known}", rows.len());
        rows.iter().try_for_each(|row| self.stands(row))
    }

    fn stands(&mut self, row: &Send) -> anyhow::Result<()> {
        let id = row.id;
        let known = self.handed_over.entry(id).or_insert_with(|| row.clone());
        // Its code may be used any time after it was handed over.
        known.confirmed_at = known.confirmed_at.or(row.confirmed_at);
        ensure!(known == row, "send {id} was handed over and changed: {known:?}, now {row:?}");
        Ok(())
    }
}

/// Asks the restarted server, as the callers would: a code sent before the crash is still right, a PIN
/// set before it is still needed and known, and the inbox shows each send once.
pub(super) async fn ask_around(
    server: &ServerProcess,
    shared: &Shared,
    touched: &[(usize, Told)],
) -> anyhow::Result<()> {
    let mut connection = Connection::open(server.address).await?;
    let waiting = touched.iter().find(|(_, told)| told.code_sent && !told.registered);
    if let Some((place, told)) = waiting.filter(|(_, told)| told.mismatches == 0) {
        confirm(&mut connection, shared, *place)
            .await
            .with_context(|| format!("number {place}, told {told:?}"))?;
    }
    let protected = touched.iter().find(|(_, told)| told.pin.is_some() && !told.pin_in_doubt);
    if let Some((place, told)) = protected {
        let token = &shared.tokens[*place];
        let without = load::code_request(*place, None);
        load::ask(&mut connection, token, "account", without, StatusCode::FORBIDDEN).await?;
        let with = load::code_request(*place, told.pin.as_deref());
        load::ask(&mut connection, token, "account", with, StatusCode::CREATED)
            .await
            .with_context(|| format!("number {place} and its PIN"))?;
    }
    let (_, list) =
        connection.ask("GET", "/sandbox/v1/inbox?limit=500", None, String::new()).await?;
    let list: Value = serde_json::from_slice(&list)?;
    let messages = list["messages"].as_array().context("the inbox has no messages")?;
    let mut ids = BTreeSet::new();
    let once = messages.iter().all(|message| ids.insert(message["id"].as_str()));
    ensure!(once, "the inbox lists a message twice");
    Ok(())
}

/// Confirms a number whose code was sent before the crash. It may have been registered before it too,
/// with the answer lost: then there is nothing to confirm, and its client is told that it holds it.
async fn confirm(connection: &mut Connection, shared: &Shared, place: usize) -> anyhow::Result<()> {
    let (cc, national) = data::number(place);
    let path = format!("/sandbox/v1/inbox?limit=1&number=%2B{cc}{national}");
    let (_, list) = connection.ask("GET", &path, None, String::new()).await?;
    let list: Value = serde_json::from_slice(&list)?;
    let code = list["messages"][0]["code"].as_str().context("the inbox has lost the code")?;
    let token = &shared.tokens[place];
    let body = format!(r#"{{"code":"{code}"}}"#);
    let path = "account/verify";
    if let Err(refused) = load::ask(connection, token, path, body, StatusCode::CREATED).await {
        let again = load::code_request(place, None);
        load::ask(connection, token, "account", again, StatusCode::CREATED)
            .await
            .with_context(|| format!("neither confirmed ({refused}) nor registered"))?;
    }
    shared.journal().registered(place);
    Ok(())
}

/// The answers about one number are what the record says, or the record has come further.
async fn answers_stand(
    store: &dyn Store,
    place: usize,
    client: &str,
    told: &Told,
) -> anyhow::Result<()> {
    let client = ClientId::parse(client).context("a client's name is an id")?;
    let (cc, national) = data::number(place);
    let number = PhoneNumber::parse(&format!("{cc}{national}"))?;
    let Some(record) = store.number(number).await? else {
        ensure!(*told == Told::default(), "there is no record");
        return Ok(());
    };
    let record = record.value;
    let held = record.held_by(&client);
    if told.registered {
        ensure!(held, "the registration is lost");
        let found = store.find_number(&NumberKey::HeldBy(client)).await?;
        ensure!(found == Some(number), "the client is found to hold {found:?}");
    } else if told.code_sent && !held {
        let guesses = guesses_waiting(&record, &client).context("the challenge is lost")?;
        ensure!(guesses >= told.mismatches, "{guesses} guesses are counted");
        let found = store.find_number(&NumberKey::PendingFor(client)).await?;
        ensure!(found == Some(number), "the client is found to wait for {found:?}");
    }
    ensure!(told.pin.is_none() || record.two_step.is_some(), "the PIN is lost");
    Ok(())
}

/// Guesses counted at the challenge that `client` waits for.
fn guesses_waiting(record: &NumberRecord, client: &ClientId) -> Option<u32> {
    record.claims.iter().find_map(|claim| match &claim.phase {
        ClaimPhase::AwaitingCode(challenge) if challenge.client.as_ref() == Some(client) => {
            Some(challenge.guesses)
        }
        ClaimPhase::AwaitingCode(_) | ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
    })
}

/// No client runs two numbers. (A number is one record with room for one registration.)
async fn one_number_per_client(store: &dyn Store) -> anyhow::Result<()> {
    let mut holders = BTreeSet::new();
    let mut after = None;
    loop {
        let query = NumberQuery { after, registered: Some(true), limit: PAGE, ..<_>::default() };
        let page = store.numbers(&query).await?;
        for record in &page {
            let platform = record.registration.as_ref().map(|held| &held.platform);
            if let Some(Platform::OnPremise { client }) = platform {
                ensure!(holders.insert(client.to_string()), "client {client} runs two numbers");
            }
        }
        if page.len() < PAGE {
            return Ok(());
        }
        after = page.last().map(|record| record.number);
    }
}

/// The ledger's rows behind `after`, newest first.
async fn rows_after(store: &dyn Store, after: Option<SendId>) -> anyhow::Result<Vec<Send>> {
    let mut rows: Vec<Send> = Vec::new();
    loop {
        let before = rows.last().map(|row| row.id);
        let query = SendQuery { after, before, limit: PAGE, ..SendQuery::default() };
        let page = store.sends(&query).await?;
        let full = page.len() == PAGE;
        rows.extend(page);
        if !full {
            return Ok(rows);
        }
    }
}

const fn is_handed_over(row: &Send) -> bool {
    matches!(row.state, SendState::HandedOver { .. })
}
