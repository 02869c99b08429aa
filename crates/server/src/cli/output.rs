//! How results look: tables and times for people, JSON for programs.

use core::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use jiff::tz::TimeZone;
use registration::PhoneNumber;
use serde_json::Value;
use service::numbering::international_format;

use super::client::REFUSED;
use super::{Context, print};

/// A result in both forms.
pub(super) struct Output {
    json: Value,
    text: String,
    code: u8,
    silent: bool,
}

impl Output {
    pub(super) fn new(json: Value, text: impl Into<String>) -> Self {
        Self { json, text: text.into(), code: 0, silent: false }
    }

    /// Nothing: what there was to say has been said.
    pub(super) fn silent() -> Self {
        Self { silent: true, ..Self::new(Value::Null, "") }
    }

    /// The same with exit code 1: the command was carried out and found something wrong.
    pub(super) fn failed_if(mut self, failed: bool) -> Self {
        self.code = if failed { super::FAILURE } else { 0 };
        self
    }

    /// The same with exit code 3: the command was carried out, and what it asked about is refused.
    pub(super) fn refused_if(mut self, refused: bool) -> Self {
        self.code = if refused { REFUSED } else { 0 };
        self
    }

    /// The same with an exit code of the command's own.
    pub(super) const fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    #[cfg(test)]
    pub(super) const fn json(&self) -> &Value {
        &self.json
    }

    pub(super) fn print(&self, json: bool) -> io::Result<()> {
        if self.silent {
            return Ok(());
        }
        if json {
            return print(&format!("{}\n", self.json));
        }
        let line_break = if self.text.is_empty() || self.text.ends_with('\n') { "" } else { "\n" };
        print(&format!("{}{line_break}", self.text))
    }

    pub(super) fn code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

/// What a value means, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Doubtful,
    Bad,
}

/// How a person sees results.
pub(super) struct View {
    zone: TimeZone,
    colours: bool,
    /// Columns of the terminal; `None` where nobody looks: then lines are as long as they are.
    width: Option<u16>,
}

impl View {
    pub(super) fn of(context: &Context<'_>) -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            zone: TimeZone::system(),
            colours: terminal && context.wants_colours(),
            // Zero columns is what a terminal says that does not know.
            width: terminal.then(|| Table::new().width().filter(|width| *width > 0)).flatten(),
        }
    }

    /// Central European winter time and a terminal of 80 columns, without colours.
    #[cfg(test)]
    pub(super) fn for_tests() -> Self {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a time zone");
        Self { zone, colours: false, width: Some(80) }
    }

    /// The same without a terminal.
    #[cfg(test)]
    pub(super) fn unlimited(self) -> Self {
        Self { width: None, ..self }
    }

    /// A moment in local time with UTC beside it: `2027-01-15 09:01:00 CET (08:01:00 UTC)`.
    pub(super) fn moment(&self, at: &Value) -> String {
        self.moment_if(at).unwrap_or_else(|| "-".to_owned())
    }

    /// The same where it may be missing.
    pub(super) fn moment_if(&self, at: &Value) -> Option<String> {
        let at = timestamp(at)?;
        let (local, utc) = (at.to_zoned(self.zone.clone()), at.to_zoned(TimeZone::UTC));
        if local.offset() == utc.offset() {
            return Some(utc.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        }
        let same_day = local.date() == utc.date();
        let form = if same_day { "%H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
        let local = local.strftime("%Y-%m-%d %H:%M:%S %Z");
        Some(format!("{local} ({})", utc.strftime(form)))
    }

    /// A moment in a table: local time to the second. The table says once which zone that is.
    pub(super) fn short_moment(&self, at: &Value) -> String {
        let local = timestamp(at).map(|at| at.to_zoned(self.zone.clone()));
        local.map_or("-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }

    /// The line under a table with times; `at` is any of them.
    pub(super) fn zone_note(&self, at: &Value) -> String {
        let Some(at) = timestamp(at) else { return String::new() };
        let local = at.to_zoned(self.zone.clone());
        if local.offset().is_zero() {
            return "Times are UTC.\n".to_owned();
        }
        format!("Times are {} (UTC{}).\n", local.strftime("%Z"), local.strftime("%:z"))
    }

    /// Reads a moment: RFC 3339, or date and time of the local zone.
    pub(super) fn parse_moment(&self, text: &str) -> anyhow::Result<jiff::Timestamp> {
        if let Ok(at) = text.parse() {
            return Ok(at);
        }
        let local: jiff::civil::DateTime = text.parse().map_err(|_| {
            anyhow::anyhow!(
                "{text:?} is no moment; write 2026-11-22T04:29:29Z, or 2026-11-22T04:29 for local time"
            )
        })?;
        Ok(local.to_zoned(self.zone.clone())?.timestamp())
    }

    /// A table: one line per entry, columns two spaces apart.
    pub(super) fn table<const N: usize>(
        &self,
        head: [&str; N],
        rows: impl IntoIterator<Item = [(String, Tone); N]>,
    ) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        match self.width {
            Some(width) => {
                table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width)
            }
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        if self.colours {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(head);
        for row in rows {
            table.add_row(row.map(|(text, tone)| self.cell(text, tone)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2)).set_cell_alignment(CellAlignment::Left);
        }
        let lines = table.lines().map(|line| line.trim_end().to_owned() + "\n");
        lines.collect()
    }

    /// Labels and values, a line each; what has no value is left out. Long values are broken between
    /// words where the terminal ends.
    pub(super) fn facts(&self, facts: &[(&str, String)]) -> String {
        let given = || facts.iter().filter(|(_, value)| !value.is_empty());
        let indent = given().map(|(label, _)| label.len()).max().unwrap_or(0) + 2;
        let mut lines = String::new();
        for (label, value) in given() {
            // Writing into a String cannot fail.
            let _ = writeln!(lines, "{label:<indent$}{}", self.hanging(value, indent));
        }
        lines
    }

    /// Text that begins at column `indent`, broken between words where the terminal ends.
    pub(super) fn hanging(&self, text: &str, indent: usize) -> String {
        let room = self.width.map_or(usize::MAX, |it| usize::from(it).saturating_sub(indent));
        let lines: Vec<String> = text.lines().flat_map(|line| broken(line, room.max(20))).collect();
        lines.join(&format!("\n{:indent$}", ""))
    }

    /// A line that ends where the terminal does.
    pub(super) fn cut(&self, line: &str) -> String {
        line.chars().take(self.width.map_or(usize::MAX, usize::from)).collect()
    }

    /// A word in the colour of its tone.
    pub(super) fn word(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Good => 32,
            Tone::Doubtful => 33,
            Tone::Bad => 31,
            Tone::Plain => return text.to_owned(),
        };
        if self.colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn cell(&self, text: String, tone: Tone) -> Cell {
        let cell = Cell::new(text);
        match tone {
            Tone::Good if self.colours => cell.fg(Color::DarkGreen),
            Tone::Doubtful if self.colours => cell.fg(Color::DarkYellow),
            Tone::Bad if self.colours => cell.fg(Color::DarkRed),
            Tone::Plain | Tone::Good | Tone::Doubtful | Tone::Bad => cell,
        }
    }
}

/// A cell without colour.
pub(super) fn plain(text: impl Into<String>) -> (String, Tone) {
    (text.into(), Tone::Plain)
}

/// Text of a value as it may reach a terminal: `-` if there is none, control characters as `?`.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.chars().map(|c| if c.is_control() { '?' } else { c }).collect(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// A phone number in groups, as people read it.
pub(super) fn number(value: &Value) -> String {
    let parsed = value.as_str().and_then(|text| PhoneNumber::parse(text).ok());
    parsed.map_or_else(|| text(value), international_format)
}

/// How often a thing is there: `1 number`, `2 numbers`.
pub(super) fn counted(count: usize, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{plural}")
}

/// Text in lines of at most `room` characters, broken at spaces; a longer word keeps a line of its own.
fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let taken = lines[last].chars().count();
        if taken > 0 && taken + 1 + word.chars().count() > room {
            lines.push(word.to_owned());
        } else {
            let space = if taken == 0 { "" } else { " " };
            lines[last].push_str(space);
            lines[last].push_str(word);
        }
    }
    lines
}

fn timestamp(at: &Value) -> Option<jiff::Timestamp> {
    at.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_moment_is_local_with_utc_beside_it() {
        let view = View::for_tests();
        for (at, shown) in [
            (json!("2027-01-15T08:01:00Z"), "2027-01-15 09:01:00 CET (08:01:00 UTC)"),
            (json!("2027-07-15T22:30:00Z"), "2027-07-16 00:30:00 CEST (2027-07-15 22:30:00 UTC)"),
            (Value::Null, "-"),
        ] {
            assert_eq!(view.moment(&at), shown);
        }
        let utc = View { zone: TimeZone::UTC, ..View::for_tests() };
        assert_eq!(utc.moment(&json!("2027-01-15T08:01:00Z")), "2027-01-15 08:01:00 UTC");
        assert_eq!(utc.zone_note(&json!("2027-01-15T08:01:00Z")), "Times are UTC.\n");
        let note = view.zone_note(&json!("2027-01-15T08:01:00Z"));
        assert_eq!(note, "Times are CET (UTC+01:00).\n");
    }

    #[test]
    fn a_moment_is_read_in_utc_or_local_time() {
        let view = View::for_tests();
        for text in ["2026-11-22T04:29:29Z", "2026-11-22T05:29:29+01:00", "2026-11-22T05:29:29"] {
            let at = view.parse_moment(text).expect(text);
            assert_eq!(at.to_string(), "2026-11-22T04:29:29Z", "{text}");
        }
        assert!(view.parse_moment("soon").is_err());
    }

    #[test]
    fn a_table_fits_the_terminal_and_is_one_line_per_entry_elsewhere() {
        let long = "x".repeat(90);
        let rows = || [[plain("a"), plain(long.clone())], [plain("bb"), plain("c")]];
        let narrow = View::for_tests().table(["ONE", "TWO"], rows());
        assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
        let wide = View { width: None, ..View::for_tests() }.table(["ONE", "TWO"], rows());
        assert_eq!(wide, format!("ONE  TWO\na    {long}\nbb   c\n"));
    }

    #[test]
    fn long_facts_are_broken_between_words() {
        let value = "word ".repeat(20).trim_end().to_owned();
        let facts = [("Rule", value.clone()), ("None", String::new())];
        let shown = View::for_tests().facts(&facts);
        assert_eq!(shown.lines().count(), 2, "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        assert!(shown.lines().nth(1).is_some_and(|line| line.starts_with("      word")), "{shown}");
        assert_eq!(View::for_tests().unlimited().facts(&facts), format!("Rule  {value}\n"));
    }

    #[test]
    fn colours_are_for_terminals_only() {
        let rows = || [[("up".to_owned(), Tone::Good)]];
        assert_eq!(View::for_tests().table(["S"], rows()), "S\nup\n");
        let coloured = View { colours: true, ..View::for_tests() };
        assert!(coloured.table(["S"], rows()).contains('\u{1b}'));
        assert_eq!(coloured.word("up", Tone::Good), "\u{1b}[32mup\u{1b}[0m");
        assert_eq!(View::for_tests().word("up", Tone::Good), "up");
    }

    #[test]
    fn text_of_strangers_cannot_steer_a_terminal() {
        assert_eq!(text(&json!("a\u{1b}[31mb\n")), "a?[31mb?");
        assert_eq!(number(&json!("+447700900123")), "+44 7700 900123");
        assert_eq!(number(&json!("nonsense")), "nonsense");
    }
}
