//! Sections whose tables the operator names: `[senders.main]`, `[routes.germany]`.
//!
//! They have no place in `config.default.toml` but its comments. To add one, put its name into
//! `SECTIONS` and read its tables in `read`.

use std::collections::BTreeMap;

use registration::AccountId;
use service::message_text::OwnTexts;
use service::spending::{AccountRules, Price};

use super::layers::{Environment, Setting};
use super::money;
use super::problem::{Origin, Problem};
use super::reader::Reader;
use super::routes::{self, Route};
use super::senders::{self, Sender};
use super::texts;

/// The open sections. Below each stand tables with names, and in those the settings.
pub(super) const SECTIONS: [&str; 5] = ["senders", "routes", "prices", "accounts", "texts"];

/// What the open sections hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// `[senders.NAME]`, in the order they were written.
    pub senders: Vec<Sender>,
    /// `[routes.NAME]`, in the order they were written.
    pub routes: Vec<Route>,
    /// `[prices.SENDER]`.
    pub prices: Vec<Price>,
    /// `[accounts.NAME]`.
    pub accounts: BTreeMap<AccountId, AccountRules>,
    /// `[texts.NAME]`.
    pub texts: OwnTexts,
}

/// Whether the tables of this section are named by the operator.
pub(super) fn is_open(section: &str) -> bool {
    SECTIONS.contains(&section)
}

/// Reads all tables and notes every mistake.
pub(super) fn read(
    settings: &[Setting],
    environment: &Environment,
    problems: &mut Vec<Problem>,
) -> Named {
    let mut named = Named::default();
    let mut tables = tables(settings, problems);
    // Routes name senders, so those come first, wherever they stand in the file.
    tables.sort_by_key(|table| SECTIONS.iter().position(|section| *section == table.section));
    for Table { section, path, settings } in tables {
        let mut reader = Reader::new(&path, settings, environment, problems);
        match section {
            "senders" => named.senders.extend(senders::read(&mut reader)),
            "routes" => named.routes.extend(routes::read(&mut reader, &named.senders)),
            "prices" => named.prices.extend(money::prices(&mut reader, &named.senders)),
            "accounts" => named.accounts.extend(money::account(&mut reader)),
            "texts" => texts::read(&mut reader, &mut named.texts),
            _ => {}
        }
        reader.finish();
    }
    named
}

struct Table {
    section: &'static str,
    path: String,
    settings: Vec<Setting>,
}

/// The settings by table, in the order in which the tables begin.
fn tables(settings: &[Setting], problems: &mut Vec<Problem>) -> Vec<Table> {
    let mut found: Vec<Table> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut ordered: Vec<&Setting> = settings.iter().collect();
    ordered.sort_by(|a, b| a.origin.cmp(&b.origin));
    for setting in ordered {
        let mut parts = setting.key.splitn(3, '.');
        let section = parts.next().and_then(|it| SECTIONS.into_iter().find(|known| *known == it));
        let (Some(section), Some(name), Some(_)) = (section, parts.next(), parts.next()) else {
            let section = setting.key.split('.').next().unwrap_or_default();
            let message = format!("write [{section}.NAME] and its settings below it");
            problems.push(Problem::new(setting.origin.clone(), &setting.key, message));
            continue;
        };
        let path = format!("{section}.{name}");
        let place = *places.entry(path.clone()).or_insert_with(|| {
            check_name(name, &path, &setting.origin, problems);
            found.push(Table { section, path, settings: Vec::new() });
            found.len() - 1
        });
        found[place].settings.push(setting.clone());
    }
    found
}

/// A name stands in logs, metrics, URLs and variables, so it is short and plain.
fn check_name(name: &str, path: &str, origin: &Origin, problems: &mut Vec<Problem>) {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    if !(1..=32).contains(&name.len()) || !name.bytes().all(plain) {
        let message = "a name has 1 to 32 lower-case letters, digits, - or _";
        problems.push(Problem::new(origin.clone(), path, message));
    }
}
