//! Whether a row can be registered at all, as far as that can be told without asking anybody.
//!
//! The rules are those of the server: the same readers, the same channel rule.

use std::collections::HashMap;

use registration::{
    ClientId, CodeMethod, Locale, NumberKind, PhoneNumber, TextId as _, TwoStepPin, VerifiedName,
    WabaId,
};
use service::numbering::{NumberFault, Planned, international_format, plan_e164};

use super::super::terminal::Secret;
use super::faults::Fault;
use super::rows::{Column, RawRow};

/// A number to be registered, and for whom.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) number: PhoneNumber,
    /// Its country calling code: sends are limited per country.
    pub(super) country_code: u16,
    pub(super) name: String,
    pub(super) waba: Option<String>,
    pub(super) client: Option<String>,
    pub(super) method: CodeMethod,
    pub(super) locale: Option<String>,
    pub(super) pin: Option<Secret>,
    pub(super) set_pin: Option<Secret>,
}

/// What rows have that do not say otherwise.
#[derive(Debug, Clone, Default)]
pub(super) struct Presets {
    pub(super) name: Option<String>,
    pub(super) waba: Option<String>,
    pub(super) method: Option<CodeMethod>,
    pub(super) locale: Option<String>,
}

/// The rows that are sound, and what is wrong with the others.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) rows: Vec<Row>,
    pub(super) faults: Vec<Fault>,
}

impl Row {
    /// For whom the number is, in one word: rows of the same number and word are the same order.
    pub(super) fn party(&self) -> String {
        match (&self.client, &self.waba) {
            (Some(client), Some(waba)) => format!("client {client}, waba {waba}"),
            (Some(client), None) => format!("client {client}"),
            (None, Some(waba)) => format!("waba {waba}"),
            (None, None) => String::new(),
        }
    }
}

/// Checks all rows, each for itself and against the others.
pub(super) fn check(raw: &[RawRow], presets: &Presets) -> Checked {
    let mut checked = Checked::default();
    let mut lines_of_numbers: HashMap<PhoneNumber, u64> = HashMap::new();
    let mut lines_of_clients: HashMap<String, u64> = HashMap::new();
    for raw in raw {
        let mut row = match read(raw, presets) {
            Ok(row) => row,
            Err(faults) => {
                checked.faults.extend(faults);
                continue;
            }
        };
        row.line = raw.line;
        if let Some(first) = lines_of_numbers.get(&row.number) {
            let reason = format!("{} is on line {first} already", row.number);
            checked.faults.push(Fault::new(row.line, "number", reason).hint("remove one of them"));
            continue;
        }
        if let Some(client) = &row.client
            && let Some(first) = lines_of_clients.get(client)
        {
            let reason = format!("client {client} has the number of line {first}");
            let hint = "a client runs one number; name a waba instead";
            checked.faults.push(Fault::new(row.line, "client", reason).hint(hint));
            continue;
        }
        lines_of_numbers.insert(row.number, row.line);
        if let Some(client) = &row.client {
            lines_of_clients.insert(client.clone(), row.line);
        }
        checked.rows.push(row);
    }
    checked
}

fn read(raw: &RawRow, presets: &Presets) -> Result<Row, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut note = |column: &str, problem: Problem| {
        let (reason, suggestion) = problem;
        faults.push(Fault { line: raw.line, column: column.to_owned(), reason, suggestion });
    };
    let planned = match raw.cell(Column::Number).map(number) {
        Some(Ok(planned)) => Some(planned),
        Some(Err(problem)) => {
            note("number", problem);
            None
        }
        None => {
            note("number", (MISSING.to_owned(), None));
            None
        }
    };
    let asked = match raw.cell(Column::Method).map(method) {
        Some(Ok(method)) => Some(method),
        Some(Err(problem)) => {
            note("method", problem);
            None
        }
        None => presets.method,
    };
    let method = planned.map(|planned| channel(planned.kind, asked));
    if let Some(Err(problem)) = &method {
        note(if asked.is_some() { "method" } else { "number" }, problem.clone());
    }
    let name = raw.cell(Column::Name).or(presets.name.as_deref());
    match name.map(VerifiedName::parse) {
        Some(Ok(_)) => {}
        Some(Err(error)) => note("name", (error.to_string(), None)),
        None => note("name", (MISSING.to_owned(), Some("or name one for all with --name".into()))),
    }
    let waba = raw.cell(Column::Waba);
    if waba.is_some_and(|waba| WabaId::parse(waba).is_none()) {
        note("waba", (ID.to_owned(), None));
    }
    let client = raw.cell(Column::Client);
    if client.is_some_and(|client| ClientId::parse(client).is_none()) {
        note("client", (ID.to_owned(), None));
    }
    let locale = raw.cell(Column::Locale);
    if locale.is_some_and(|locale| Locale::parse(locale).is_none()) {
        note("locale", ("this is no language".into(), Some("write de or pt_BR".into())));
    }
    for (column, name) in [(Column::Pin, "pin"), (Column::SetPin, "set_pin")] {
        if let Some(Err(problem)) = raw.cell(column).map(pin) {
            note(name, problem);
        }
    }
    let (Some(planned), Some(Ok(method)), true) = (planned, method, faults.is_empty()) else {
        return Err(faults);
    };
    // A row that names its party takes no part of another from the presets.
    let named = waba.is_some() || client.is_some();
    let preset = || presets.waba.clone().filter(|_| !named);
    let secret = |column| raw.cell(column).map(Secret::from);
    Ok(Row {
        line: raw.line,
        number: planned.number,
        country_code: planned.country_code,
        name: name.unwrap_or_default().to_owned(),
        waba: waba.map(str::to_owned).or_else(preset),
        client: client.map(str::to_owned),
        method,
        locale: locale.map(str::to_owned).or_else(|| presets.locale.clone()),
        pin: secret(Column::Pin),
        set_pin: secret(Column::SetPin),
    })
}

/// What is wrong, and what would be right.
type Problem = (String, Option<String>);

const MISSING: &str = "is missing";
const ID: &str = "an id has 1 to 64 letters, digits, -, _ or .";

/// Reads a number as people write it.
fn number(text: &str) -> Result<Planned, Problem> {
    let plain = |c: &char| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}');
    let digits: String = text.chars().filter(plain).collect();
    let rounded = digits.contains(['E', 'e']) && digits.starts_with(|c: char| c.is_ascii_digit());
    if rounded {
        let hint = "format the column as text before the numbers go in";
        return Err(("a spreadsheet has rounded this number".into(), Some(hint.into())));
    }
    plan_e164(&digits).map_err(|fault| {
        let bare = digits.trim_start_matches('+');
        let hint = match bare.strip_prefix("00").map(plan_e164) {
            Some(Ok(planned)) => Some(format!("write {}", international_format(planned.number))),
            _ if bare.starts_with('0') => Some("write the country code first, as +44".to_owned()),
            _ if fault == NumberFault::NotDigits => Some("write it as +447700900123".to_owned()),
            _ => None,
        };
        (fault.to_string(), hint)
    })
}

fn method(text: &str) -> Result<CodeMethod, Problem> {
    match text.to_ascii_lowercase().as_str() {
        "sms" => Ok(CodeMethod::Sms),
        "voice" => Ok(CodeMethod::Voice),
        _ => Err(("a code travels by sms or by voice".into(), Some("write sms or voice".into()))),
    }
}

/// How the code travels: as asked if that kind of number takes it, else as the kind demands.
fn channel(kind: NumberKind, asked: Option<CodeMethod>) -> Result<CodeMethod, Problem> {
    let channels = kind.channels();
    let kind = kind.as_str().replace('_', " ");
    if !channels.sms && !channels.voice {
        return Err((format!("no code reaches a {kind} number"), None));
    }
    match asked {
        Some(method) if channels.allow(method) => Ok(method),
        Some(method) => {
            let other = if method == CodeMethod::Sms { "voice" } else { "sms" };
            Err((
                format!("a {kind} number takes no {}", method.as_str()),
                Some(format!("write {other}")),
            ))
        }
        None if channels.sms => Ok(CodeMethod::Sms),
        None => Ok(CodeMethod::Voice),
    }
}

fn pin(text: &str) -> Result<(), Problem> {
    TwoStepPin::parse(text).map(drop).map_err(|error| {
        let short = text.len() < 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        let hint = "a spreadsheet may have dropped a zero in front: format the column as text";
        (error.to_string(), short.then(|| hint.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::Column::{Client, Locale, Method, Name, Number, Pin, Waba};
    use super::*;

    fn complaints(raw: &[RawRow], presets: &Presets) -> Vec<String> {
        check(raw, presets).faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_fault_is_told_with_what_would_be_right() {
        for (cells, complaint) in [
            (
                &[(Number, "07700 900123"), (Name, "A")][..],
                "number: no country has this calling code; write the country code first, as +44",
            ),
            (
                &[(Number, "00447700900123"), (Name, "A")],
                "number: no country has this calling code; write +44 7700 900123",
            ),
            (
                &[(Number, "4.47701E+11"), (Name, "A")],
                "number: a spreadsheet has rounded this number; format the column as text before the \
                 numbers go in",
            ),
            (
                &[(Number, "call me"), (Name, "A")],
                "number: a phone number has only digits; write it as +447700900123",
            ),
            (
                &[(Number, "+44 20 7946 0001"), (Name, "A"), (Method, "sms")],
                "method: a fixed line number takes no sms; write voice",
            ),
            (
                &[(Number, "+44 909 8790 000"), (Name, "A")],
                "number: no code reaches a premium rate number",
            ),
            (
                &[(Number, "+447700900123"), (Name, "A"), (Method, "fax")],
                "method: a code travels by sms or by voice; write sms or voice",
            ),
            (&[(Number, "+447700900123")], "name: is missing; or name one for all with --name"),
            (
                &[(Number, "+447700900123"), (Name, "A"), (Waba, "a b")],
                "waba: an id has 1 to 64 letters, digits, -, _ or .",
            ),
            (
                &[(Number, "+447700900123"), (Name, "A"), (Locale, "!")],
                "locale: this is no language; write de or pt_BR",
            ),
            (
                &[(Number, "+447700900123"), (Name, "A"), (Pin, "12345")],
                "pin: a two-step verification PIN has exactly six digits; a spreadsheet may have \
                 dropped a zero in front: format the column as text",
            ),
            (&[(Name, "A")], "number: is missing"),
        ] {
            let told = complaints(&[RawRow::of(7, cells)], &Presets::default());
            assert_eq!(told, [format!("line 7, {complaint}")]);
        }
    }

    #[test]
    fn all_faults_of_a_row_are_told_at_once() {
        let raw = RawRow::of(2, &[(Number, "123"), (Method, "fax"), (Pin, "1")]);
        assert_eq!(complaints(&[raw], &Presets::default()).len(), 4);
    }

    #[test]
    fn a_number_stands_in_a_list_once_and_a_client_too() {
        let row = |line, number, client| {
            RawRow::of(line, &[(Number, number), (Name, "A"), (Client, client)])
        };
        let raw = [
            row(2, "+447700900123", "berlin"),
            row(3, "+44 (0)7700 900-123", "paris"),
            row(4, "447700900124", "berlin"),
            row(5, "447700900125", "paris"),
        ];
        assert_eq!(
            complaints(&raw, &Presets::default()),
            [
                "line 3, number: +447700900123 is on line 2 already; remove one of them",
                "line 4, client: client berlin has the number of line 2; a client runs one number; \
                 name a waba instead",
            ]
        );
        assert_eq!(check(&raw, &Presets::default()).rows.len(), 2);
    }

    #[test]
    fn the_kind_of_a_number_decides_the_channel_where_the_row_does_not() {
        let rows = [
            RawRow::of(2, &[(Number, "+447700900123"), (Name, "A")]),
            RawRow::of(3, &[(Number, "+442079460001"), (Name, "A")]),
        ];
        let checked = check(&rows, &Presets::default());
        let methods: Vec<_> = checked.rows.iter().map(|row| row.method).collect();
        assert_eq!(methods, [CodeMethod::Sms, CodeMethod::Voice]);
    }

    #[test]
    fn a_row_that_names_its_party_takes_none_of_another() {
        let presets =
            Presets { waba: Some("1".into()), name: Some("A".into()), ..Presets::default() };
        let rows = [
            RawRow::of(2, &[(Number, "+447700900123")]),
            RawRow::of(3, &[(Number, "+447700900124"), (Client, "berlin")]),
        ];
        let checked = check(&rows, &presets);
        let parties: Vec<_> = checked.rows.iter().map(Row::party).collect();
        assert_eq!(parties, ["waba 1", "client berlin"]);
    }
}
