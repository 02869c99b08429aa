//! Examples and notes below a command's help, broken to the width of the terminal.
//!
//! Left alone they would be broken anywhere: the comment of an example would go on below the command.

use clap::Command;
use rustix::termios::tcgetwinsize;

/// Columns where nobody says how many there are, and the most that is used: longer lines read badly.
const COLUMNS_MAX: usize = 100;

/// Narrower than this, nothing reads well: terminals break the lines themselves.
const COLUMNS_MIN: usize = 50;

/// `command` and all below it, with their notes broken to the terminal's width.
pub(super) fn fitted(command: Command) -> Command {
    fit(command, columns())
}

fn fit(command: Command, columns: usize) -> Command {
    let notes = command.get_after_help().map(ToString::to_string);
    let command = command.mut_subcommands(|below| fit(below, columns));
    match notes {
        Some(notes) => command.after_help(broken(&notes, columns)),
        None => command,
    }
}

fn columns() -> usize {
    let said = tcgetwinsize(std::io::stdout()).map_or(0, |size| usize::from(size.ws_col));
    if said == 0 { COLUMNS_MAX } else { said.clamp(COLUMNS_MIN, COLUMNS_MAX) }
}

/// The notes with paragraphs filled anew, and comments of examples in their own column.
fn broken(notes: &str, columns: usize) -> String {
    let mut lines = Vec::new();
    let mut paragraph = String::new();
    for line in notes.lines().chain([""]) {
        if line.starts_with(' ') || line.is_empty() || line.ends_with(':') {
            fill(&std::mem::take(&mut paragraph), "", "", columns, &mut lines);
            example(line, columns, &mut lines);
        } else {
            paragraph.push_str(line);
            paragraph.push(' ');
        }
    }
    lines.pop();
    lines.join("\n")
}

/// A line that stands by itself: `  command    comment`, or whatever else is indented.
fn example(line: &str, columns: usize, lines: &mut Vec<String>) {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    let fits = line.chars().count() <= columns;
    match text.rfind("  ").map(|gap| (text[..gap].trim_end(), text[gap..].trim_start())) {
        _ if fits => lines.push(line.to_owned()),
        Some((command, comment)) => {
            let column = line.chars().count() - comment.chars().count();
            // A column too far to the right leaves no room for words: the comment goes below.
            if columns.saturating_sub(column) < 24 {
                lines.push(format!("{indent}{command}"));
                let below = format!("{indent}    ");
                fill(comment, &below, &below, columns, lines);
            } else {
                let first = &line[..line.len() - comment.len()];
                fill(comment, first, &" ".repeat(column), columns, lines);
            }
        }
        None => fill(text, indent, &format!("{indent}    "), columns, lines),
    }
}

/// Adds `words` to `lines`, `first` before the first of them and `rest` before the others.
fn fill(words: &str, first: &str, rest: &str, columns: usize, lines: &mut Vec<String>) {
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in words.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    if !is_empty {
        lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_broken_where_they_read_well() {
        let notes = "Examples:\n  a b      short\n  a --long-option-of-some-length c   a comment that is \
                     longer than there is room\n\nOne sentence that was broken\nsomewhere else, \
                     and goes on for a while.";
        let narrow = "Examples:\n  a b      short\n  a --long-option-of-some-length c\n      \
                      a comment that is longer than there is room\n\nOne sentence that was broken somewhere \
                      else, and\ngoes on for a while.";
        assert_eq!(broken(notes, 50), narrow);
        let wide = "Examples:\n  a b      short\n  a --long-option-of-some-length c   a comment that is longer\
                    \n                                     than there is room\n\nOne sentence that was broken \
                    somewhere else, and goes on for a\nwhile.";
        assert_eq!(broken(notes, 63), wide);
    }

    #[test]
    fn no_word_of_a_note_is_lost_and_no_line_too_long() {
        use clap::CommandFactory as _;
        let command = super::super::Cli::command();
        for command in command.get_subcommands() {
            let Some(notes) = command.get_after_help().map(ToString::to_string) else { continue };
            let fitted = broken(&notes, 80);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&fitted), words(&notes), "{}", command.get_name());
            for line in fitted.lines() {
                assert!(line.chars().count() <= 80 || !line.trim().contains(' '), "{line}");
            }
        }
    }
}
