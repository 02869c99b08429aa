//! `rollcall man`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man;

use super::{Cli, print};

const EXAMPLES: &str = "\
Examples:
  rollcall man | man -l -                                  the page about rollcall itself
  rollcall man import | man -l -                           the page of a command
  rollcall man --folder /usr/local/share/man/man1          all pages, into a folder";

/// Print a manual page, or write all of them into a folder
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The command that the page is about, as `import` or `numbers show`; rollcall itself if absent
    command: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    folder: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut root = Cli::command();
    root.build();
    if let Some(folder) = &arguments.folder {
        let count = write_all(&root, folder)?;
        eprintln!("{count} pages in {}", folder.display());
        return Ok(ExitCode::SUCCESS);
    }
    let mut command = &root;
    for name in &arguments.command {
        let found = command.find_subcommand(name).filter(|found| !found.is_hide_set());
        command = found.with_context(|| {
            format!("there is no command {}; see rollcall --help", arguments.command.join(" "))
        })?;
    }
    print(&page(command)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the page of `command` and of all below it; gives how many there were.
fn write_all(command: &Command, folder: &Path) -> anyhow::Result<usize> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(format!("{}.1", page_name(command)));
    std::fs::write(&path, page(command)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let mut count = 1;
    let shown = |it: &&Command| !it.is_hide_set() && it.get_name() != "help";
    for below in command.get_subcommands().filter(shown) {
        count += write_all(below, folder)?;
    }
    Ok(count)
}

/// `rollcall-numbers-show`
fn page_name(command: &Command) -> String {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    name.replace(' ', "-")
}

fn page(command: &Command) -> anyhow::Result<String> {
    let mut text = Vec::new();
    Man::new(command.clone()).title(page_name(command)).render(&mut text)?;
    Ok(String::from_utf8(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let mut root = Cli::command();
        root.build();
        let count = write_all(&root, &folder.path().join("man1")).unwrap();
        let names: Vec<String> = std::fs::read_dir(folder.path().join("man1"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names.len(), count, "each has a name of its own: {names:?}");
        for name in ["rollcall.1", "rollcall-import.1", "rollcall-numbers-show.1"] {
            let text = std::fs::read_to_string(folder.path().join("man1").join(name)).unwrap();
            assert!(text.contains(".SH SYNOPSIS"), "{name}: {text}");
        }
        assert!(!names.iter().any(|name| name.contains("soak")), "hidden: {names:?}");
        let import = std::fs::read_to_string(folder.path().join("man1/rollcall-import.1")).unwrap();
        assert!(import.contains("skip\\-invalid") && import.contains("Examples:"), "{import}");
    }
}
