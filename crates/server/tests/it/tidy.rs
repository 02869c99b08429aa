//! The tree keeps its shape: edges between crates, lengths of files, words, links.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::Table;

/// What each crate may depend on among our own, and which outside crates would mean that it does
/// another one's work.
const CRATES: [(&str, &[&str], &[&str]); 7] = [
    (
        "registration",
        &[],
        &[
            "async-trait",
            "axum",
            "jiff",
            "rusqlite",
            "serde",
            "tokio",
            "tracing",
            "uuid",
            "getrandom",
        ],
    ),
    ("service", &["registration"], &["axum", "http", "hyper", "rusqlite", "reqwest", "getrandom"]),
    ("store", &["registration", "service"], &["axum", "http", "hyper", "reqwest", "getrandom"]),
    ("outbound", &["registration", "service"], &["axum", "rusqlite", "getrandom"]),
    ("api", &["registration", "service"], &["rusqlite", "reqwest", "clap", "getrandom"]),
    ("simulator", &["registration", "service"], &["axum", "rusqlite", "reqwest"]),
    ("server", &["registration", "service", "store", "outbound", "api"], &["rusqlite"]),
];

/// Lines that a file may have; longer ones are listed in [`LONG_FILES`].
const LINES_MAX: usize = 500;

/// Lines that no file may have.
const LINES_NEVER: usize = 800;

/// Files over [`LINES_MAX`] with the lines they have: they may shrink, not grow.
const LONG_FILES: [(&str, usize); 0] = [];

/// Words that belong to a workplace, not to this project. Written in two parts, so that they are not
/// found here.
const BANNED: [(&str, &str); 12] = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/tmp/", "wt"),
    ("TO", "DO"),
    ("FIX", "ME"),
    ("sub-", "agent"),
    ("sub", "agent"),
    ("coding ", "agent"),
    ("index.", "crates.io"),
    ("registry.", "npmjs"),
    ("pypi", ".org"),
    ("proxy.", "golang"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file that is or could be committed, relative to the root.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let mut files: Vec<String> = match listed {
        Ok(output) if output.status.success() => {
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
        }
        _ => {
            let mut found = Vec::new();
            walk(&root(), "", &mut found);
            found
        }
    };
    files.retain(|file| root().join(file).is_file());
    assert!(files.len() > 20, "only {} files", files.len());
    files
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name == "target" || name == ".git" {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else {
            found.push(path);
        }
    }
}

/// The files with text in them, each with its text.
pub(crate) fn texts(end: &str) -> Vec<(String, String)> {
    let read = |file: String| Some((fs::read_to_string(root().join(&file)).ok()?, file));
    let ending = files().into_iter().filter(|file| file.ends_with(end));
    ending.filter_map(read).map(|(text, file)| (file, text)).collect()
}

fn dependencies(name: &str) -> Vec<String> {
    let path = root().join("crates").join(name).join("Cargo.toml");
    let manifest: Table = fs::read_to_string(path).unwrap().parse().unwrap();
    ["dependencies", "build-dependencies"]
        .into_iter()
        .filter_map(|section| manifest.get(section)?.as_table())
        .flat_map(|section| section.keys().cloned())
        .collect()
}

#[test]
fn crates_depend_only_downwards() {
    for (name, own, foreign) in CRATES {
        for dependency in dependencies(name) {
            let ours = CRATES.iter().any(|(ours, ..)| *ours == dependency);
            assert!(!ours || own.contains(&&*dependency), "{name} must not use {dependency}");
            assert!(!foreign.contains(&&*dependency), "{name} must not need {dependency}");
        }
    }
}

#[test]
fn every_crate_has_its_rules() {
    let manifest: Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    for member in members {
        let name = member.as_str().unwrap().trim_start_matches("crates/");
        assert!(CRATES.iter().any(|(known, ..)| *known == name), "{name} has no entry in CRATES");
    }
    assert_eq!(members.len(), CRATES.len());
}

#[test]
fn files_stay_short() {
    let mut complaints = Vec::new();
    for (file, text) in texts(".rs") {
        let lines = text.lines().count();
        let listed = LONG_FILES.iter().find(|(long, _)| *long == file).map(|(_, lines)| *lines);
        match listed {
            _ if lines > LINES_NEVER => complaints.push(format!("{file}: {lines} lines; split it")),
            None if lines > LINES_MAX => {
                complaints.push(format!("{file}: {lines} lines; which two things does it hold?"));
            }
            Some(allowed) if lines > allowed => {
                complaints.push(format!("{file}: grew from {allowed} to {lines} lines"));
            }
            Some(allowed) if lines < allowed => {
                complaints.push(format!("{file}: shrank to {lines} lines; say so in LONG_FILES"));
            }
            None | Some(_) => {}
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let banned: Vec<String> = BANNED.iter().map(|(a, b)| format!("{a}{b}")).collect();
    let mut complaints = Vec::new();
    for (file, text) in texts("") {
        for (number, line) in text.lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(word.as_str())) {
                complaints.push(format!("{file}:{}: {word}", number + 1));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn links_lead_to_files() {
    let mut dead = Vec::new();
    for (file, text) in texts(".md") {
        let folder = root().join(&file).parent().unwrap().to_owned();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets {
            let path = target.split(['#', ' ']).next().unwrap_or_default();
            let elsewhere = path.is_empty() || path.contains(':');
            if !elsewhere && !folder.join(path).exists() {
                dead.push(format!("{file}: {target}"));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}
