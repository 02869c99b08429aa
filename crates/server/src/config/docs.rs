//! `docs/configuration.md`, made from the comments of the embedded defaults.

use core::fmt::Write as _;

use super::defaults::DEFAULTS;

/// The reference of all settings as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "<!-- Made by `rollcall config docs`; change crates/server/config.default.toml instead. -->\n\n\
         # Configuration\n",
    );
    let mut section = String::new();
    for block in DEFAULTS.split("\n\n") {
        let (comments, line) = split(block);
        let text = paragraphs(&comments);
        match line {
            None => _ = write!(page, "\n{text}\n"),
            Some(line) if line.starts_with('[') => {
                line.trim_matches(['[', ']']).clone_into(&mut section);
                _ = write!(page, "\n## `[{section}]`\n\n{text}\n");
            }
            Some(line) => page.push_str(&setting(&section, line, &text)),
        }
    }
    page
}

fn setting(section: &str, line: &str, text: &str) -> String {
    let (key, value) = line.split_once(" = ").unwrap_or((line, ""));
    let variable = if section.is_empty() {
        format!("ROLLCALL__{}", key.to_uppercase())
    } else {
        format!("ROLLCALL__{}__{}", section.to_uppercase(), key.to_uppercase())
    };
    format!("\n### `{key}`\n\nDefault `{value}`, variable `{variable}`.\n\n{text}\n")
}

/// The comment lines of a block and its one other line, if it has one.
fn split(block: &str) -> (Vec<&str>, Option<&str>) {
    let lines = block.lines().filter(|line| !line.is_empty());
    let (comments, others): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('#'));
    (comments, others.first().copied())
}

fn paragraphs(comments: &[&str]) -> String {
    // Examples stay indented, which makes them code in Markdown.
    let lines = comments.iter().map(|line| {
        let text = line.trim_start_matches('#');
        text.strip_prefix(' ').unwrap_or(text).trim_end()
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::defaults;
    use super::*;

    #[test]
    fn every_setting_is_described_with_meaning_default_and_variable() {
        let page = markdown();
        for (key, _) in defaults::settings(&defaults::table()) {
            let variable = format!("`ROLLCALL__{}`", key.to_uppercase().replace('.', "__"));
            let (_, after) =
                page.split_once(&variable).unwrap_or_else(|| panic!("{key} is missing"));
            let meaning = after.trim_start_matches(['.', '\n']).lines().next().unwrap();
            assert!(meaning.len() > 20 && !meaning.starts_with('#'), "{key}: {meaning:?}");
        }
    }
}
