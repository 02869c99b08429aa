//! The rows of a list of numbers, as they stand in the file: CSV with a header, or JSON Lines.

use serde_json::Value;

use super::faults::Fault;
use crate::config::closest;

/// What a row may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Number,
    Name,
    Waba,
    Client,
    Method,
    Locale,
    Pin,
    SetPin,
}

/// Their names in the file.
pub(super) const COLUMNS: [(Column, &str); 8] = [
    (Column::Number, "number"),
    (Column::Name, "name"),
    (Column::Waba, "waba"),
    (Column::Client, "client"),
    (Column::Method, "method"),
    (Column::Locale, "locale"),
    (Column::Pin, "pin"),
    (Column::SetPin, "set_pin"),
];

/// What `rollcall export` adds for people: taken back without a word.
pub(in crate::cli) const INFORMATIVE: [&str; 6] =
    ["state", "platform", "registered_since", "two_step", "locked", "other_wabas"];

/// What other programs call a column.
const OTHER_NAMES: [(&str, &str); 10] = [
    ("phone", "number"),
    ("phone_number", "number"),
    ("msisdn", "number"),
    ("display_name", "name"),
    ("verified_name", "name"),
    ("waba_id", "waba"),
    ("channel", "method"),
    ("code_method", "method"),
    ("language", "locale"),
    ("two_step_pin", "pin"),
];

/// How the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::cli) enum Format {
    /// A header, then a row per number; separated by comma, semicolon or tab
    Csv,
    /// An object per line
    Jsonl,
}

impl Format {
    /// The format that a file's name tells.
    pub(in crate::cli) fn of_name(name: &str) -> Self {
        let end = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        if matches!(end.as_str(), "jsonl" | "ndjson" | "json") { Self::Jsonl } else { Self::Csv }
    }

    /// How a file of this format ends.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

/// A row as it stands in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RawRow {
    /// Its first line, from 1.
    pub(super) line: u64,
    cells: [Option<String>; COLUMNS.len()],
}

impl RawRow {
    /// What stands in a column; `None` if nothing does.
    pub(super) fn cell(&self, column: Column) -> Option<&str> {
        self.cells[column as usize].as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    #[cfg(test)]
    pub(super) fn of(line: u64, cells: &[(Column, &str)]) -> Self {
        let mut row = Self { line, ..Self::default() };
        for (column, text) in cells {
            row.cells[*column as usize] = Some((*text).to_owned());
        }
        row
    }
}

/// The rows of a file, and what is wrong with its form. A row at fault is not among the rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) rows: Vec<RawRow>,
    /// Rows whose form cannot be read.
    pub(super) unreadable: Vec<u64>,
    pub(super) faults: Vec<Fault>,
}

/// Reads the file's octets. Columns that nobody knows are faults unless they are to be ignored.
pub(super) fn read(bytes: &[u8], format: Format, ignore_unknown: bool) -> Contents {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let fault = Fault::whole_file("the file is UTF-16").hint("save it as \"CSV UTF-8\"");
        return Contents { faults: vec![fault], ..Contents::default() };
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}'),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            let fault = Fault::new(line as u64, "", "this is no UTF-8");
            let fault = fault.hint("save the file as \"CSV UTF-8\"");
            return Contents { faults: vec![fault], ..Contents::default() };
        }
    };
    match format {
        Format::Csv => read_csv(text, ignore_unknown),
        Format::Jsonl => read_json_lines(text, ignore_unknown),
    }
}

fn read_csv(text: &str, ignore_unknown: bool) -> Contents {
    let mut contents = Contents::default();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let head = match reader.headers() {
        Ok(head) => head.clone(),
        Err(error) => {
            contents.faults.push(Fault::whole_file(error.to_string()));
            return contents;
        }
    };
    let columns = header(&head, ignore_unknown, &mut contents.faults);
    if !contents.faults.is_empty() {
        return contents;
    }
    for record in reader.records() {
        // Text is UTF-8 by now and rows may have any length, so reading cannot fail.
        let Ok(record) = record else { continue };
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.len() != columns.len() {
            let reason = format!("{} fields, the header has {}", record.len(), columns.len());
            let fault = Fault::new(line, "", reason);
            contents.faults.push(fault.hint("put text with a separator in it between quotes"));
            contents.unreadable.push(line);
            continue;
        }
        let mut row = RawRow { line, ..RawRow::default() };
        for (column, cell) in columns.iter().zip(&record) {
            if let Some(column) = column {
                row.cells[*column as usize] = Some(cell.to_owned());
            }
        }
        contents.rows.push(row);
    }
    contents
}

/// The separator: whichever of the three the first line has most of.
fn separator(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let count = |separator: &u8| head.bytes().filter(|byte| byte == separator).count();
    // The last of equals wins: a comma, where there is none of all three.
    b"\t;,".iter().copied().max_by_key(count).unwrap_or(b',')
}

/// The columns in the order of the file; `None` for those that are passed over.
fn header(
    head: &csv::StringRecord,
    ignore_unknown: bool,
    faults: &mut Vec<Fault>,
) -> Vec<Option<Column>> {
    let mut columns = Vec::new();
    for (place, name) in head.iter().enumerate() {
        let name = name.trim().to_lowercase().replace([' ', '-'], "_");
        let column = match known(&name) {
            Ok(column) => column,
            Err(_) if ignore_unknown => None,
            Err(hint) => {
                let shown = if name.is_empty() { format!("({})", place + 1) } else { name };
                faults.push(Fault::new(1, shown, "no such column").hint(hint));
                None
            }
        };
        if column.is_some() && columns.contains(&column) {
            faults.push(Fault::new(1, head[place].to_owned(), "this column is there twice"));
        }
        columns.push(column);
    }
    if !columns.contains(&Some(Column::Number)) {
        let first = head.get(0).unwrap_or_default();
        let headless = first.starts_with('+') || first.bytes().all(|it| it.is_ascii_digit());
        let hint = if headless && !first.is_empty() {
            "begin with a line that names the columns: number,name,waba"
        } else {
            "the column with the phone numbers is called number"
        };
        faults.push(Fault::new(1, "number", "this column is missing").hint(hint));
    }
    columns
}

/// The column of this name, none for one that only informs, or what to do about an unknown one.
fn known(name: &str) -> Result<Option<Column>, String> {
    if let Some((column, _)) = COLUMNS.iter().find(|(_, known)| *known == name) {
        return Ok(Some(*column));
    }
    if INFORMATIVE.contains(&name) {
        return Ok(None);
    }
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, known)| *known);
    let close = || closest(name, COLUMNS.iter().map(|(_, known)| *known));
    Err(match other.or_else(close) {
        Some(known) => format!("call it {known}"),
        None => "remove it, or pass over such columns with --ignore-unknown".to_owned(),
    })
}

fn read_json_lines(text: &str, ignore_unknown: bool) -> Contents {
    let mut contents = Contents::default();
    for (place, line) in text.lines().enumerate() {
        let number = place as u64 + 1;
        if line.trim().is_empty() {
            continue;
        }
        let members = match serde_json::from_str(line) {
            Ok(Value::Object(members)) => members,
            Ok(_) => {
                contents.faults.push(Fault::new(number, "", "this line is no JSON object"));
                contents.unreadable.push(number);
                continue;
            }
            Err(error) => {
                let reason = format!("this line is no JSON (column {})", error.column());
                contents.faults.push(Fault::new(number, "", reason));
                contents.unreadable.push(number);
                continue;
            }
        };
        let mut row = RawRow { line: number, ..RawRow::default() };
        let before = contents.faults.len();
        for (name, value) in members {
            match known(&name) {
                Ok(None) => {}
                Ok(Some(column)) => match cell(&value) {
                    Ok(cell) => row.cells[column as usize] = cell,
                    Err(reason) => contents.faults.push(Fault::new(number, name, reason)),
                },
                Err(_) if ignore_unknown => {}
                Err(hint) => {
                    contents.faults.push(Fault::new(number, name, "no such field").hint(hint));
                }
            }
        }
        if contents.faults.len() > before {
            contents.unreadable.push(number);
        } else {
            contents.rows.push(row);
        }
    }
    contents
}

fn cell(value: &Value) -> Result<Option<String>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        // WABA ids and numbers without plus; whole, so nothing is lost.
        Value::Number(number) if number.is_u64() => Ok(Some(number.to_string())),
        Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err("this is no text")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> Contents {
        read(text.as_bytes(), Format::Csv, false)
    }

    fn complaints(contents: &Contents) -> Vec<String> {
        contents.faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn separators_byte_order_marks_and_quotes_of_spreadsheets_are_understood() {
        for text in [
            "number,name\n+447700900123,\"Acme, Ltd\"\n",
            "\u{feff}number;name\r\n+447700900123;Acme, Ltd\r\n",
            "Number\tNAME\n\n+447700900123\tAcme, Ltd",
        ] {
            let contents = csv(text);
            assert_eq!(complaints(&contents), Vec::<String>::new(), "{text}");
            let row = &contents.rows[0];
            assert_eq!(row.cell(Column::Name), Some("Acme, Ltd"), "{text}");
            assert_eq!(row.cell(Column::Number), Some("+447700900123"), "{text}");
            assert_eq!(row.cell(Column::Waba), None);
        }
        let utf16 = read(b"\xff\xfen\0", Format::Csv, false);
        assert_eq!(complaints(&utf16), ["the file is UTF-16; save it as \"CSV UTF-8\""]);
        let latin = read(b"number\n\xfc", Format::Csv, false);
        assert_eq!(
            complaints(&latin),
            ["line 2: this is no UTF-8; save the file as \"CSV UTF-8\""]
        );
    }

    #[test]
    fn a_column_that_nobody_knows_is_named_with_what_was_meant() {
        for (head, complaint) in [
            ("number,nam", "line 1, nam: no such column; call it name"),
            ("number,display name", "line 1, display_name: no such column; call it name"),
            (
                "number,customer",
                "line 1, customer: no such column; remove it, or pass over such columns with \
                 --ignore-unknown",
            ),
            ("number,number", "line 1, number: this column is there twice"),
            (
                "name",
                "line 1, number: this column is missing; the column with the phone numbers is called \
                 number",
            ),
        ] {
            assert_eq!(complaints(&csv(head)), [complaint], "{head}");
        }
        assert!(read(b"number,customer\n", Format::Csv, true).faults.is_empty());
        assert!(csv("number,state,two_step\n").faults.is_empty(), "an export comes back");
        let headless = csv("+447700900123\n+447700900124");
        assert!(complaints(&headless)[1].contains("names the columns"), "{headless:?}");
    }

    #[test]
    fn a_row_of_another_length_is_a_fault_of_its_own_line() {
        let contents = csv("number,name\n+447700900123,Acme, Ltd\n+447700900124,Acme\n");
        assert_eq!(
            complaints(&contents),
            ["line 2: 3 fields, the header has 2; put text with a separator in it between quotes"]
        );
        assert_eq!((contents.rows.len(), contents.unreadable), (1, vec![2]));
    }

    #[test]
    fn json_lines_hold_the_same() {
        let text = "{\"number\":\"+447700900123\",\"name\":\"Acme\",\"waba\":102290129340398,\"pin\":null}\n\
                    \n[1]\n{\"number\":\n{\"nubmer\":\"1\"}\n{\"number\":\"1\",\"name\":true}\n";
        let contents = read(text.as_bytes(), Format::Jsonl, false);
        assert_eq!(contents.rows.len(), 1);
        assert_eq!(contents.rows[0].cell(Column::Waba), Some("102290129340398"));
        assert_eq!(
            complaints(&contents),
            [
                "line 3: this line is no JSON object",
                "line 4: this line is no JSON (column 10)",
                "line 5, nubmer: no such field; call it number",
                "line 6, name: this is no text",
            ]
        );
        assert_eq!(contents.unreadable, [3, 4, 5, 6]);
    }
}
