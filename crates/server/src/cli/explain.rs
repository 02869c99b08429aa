//! `rollcall explain`

use std::process::ExitCode;

use clap::Args;
use registration::Refusal;
use reqwest::StatusCode;
use serde_json::{Value, json};
use service::explain::{Explanation, catalogue, in_words};

use super::Context;
use super::client::{self, Client, Connection, Failure, segment};
use super::output::{Output, View, plain, text};
use crate::config::closest;

const EXAMPLES: &str = "\
Examples:
  rollcall explain                                     all kinds of refusals
  rollcall explain code-too-soon                       a kind; asks no server
  rollcall explain 5f0c8a3e1b7d4c6f9a2e8d1b3c5f7a90    one refusal, by the id in its href";

/// Explain a refusal: which rule, whose budget, when it opens, what works now
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A kind of refusal, or the id of one; all kinds if absent
    id: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let view = View::of(context);
    let Some(id) = &arguments.id else {
        return client::finish(Ok(all(&view)), context.json, &view);
    };
    // The last part of a link is as good as the id.
    let id = id.trim_end_matches('/').rsplit('/').next().unwrap_or(id);
    if let Some(kind) = catalogue().iter().find(|refusal| refusal.id() == id) {
        let explanation = as_json(&in_words(kind));
        let shown = explanation_text(&view, &explanation);
        return client::finish(Ok(Output::new(explanation, shown)), context.json, &view);
    }
    if !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        anyhow::bail!(unknown_kind(id));
    }
    client::run(&arguments.connection, context, async |client, view| one(client, view, id).await)
}

fn unknown_kind(id: &str) -> String {
    match closest(id, catalogue().iter().map(Refusal::id)) {
        Some(kind) => format!("no refusal is called {id}; did you mean {kind}?"),
        None => format!("no refusal is called {id}; `rollcall explain` lists all kinds"),
    }
}

async fn one(client: &Client, view: &View, id: &str) -> Result<Output, Failure> {
    let path = format!("explain/{}", segment(id));
    let (status, _, body) = client.public(&path, "application/json").await?;
    if status == StatusCode::NOT_FOUND {
        let hint = "the server knows no refusal of this id; `rollcall explain` lists all kinds";
        return Err(Failure::Other(anyhow::anyhow!(hint)));
    }
    let explanation: Value = serde_json::from_str(&body).map_err(anyhow::Error::from)?;
    let shown = explanation_text(view, &explanation);
    Ok(Output::new(explanation, shown))
}

fn all(view: &View) -> Output {
    let kinds: Vec<Explanation> = catalogue().iter().map(in_words).collect();
    let rows = kinds.iter().map(|it| [plain(it.refusal.clone()), plain(it.title.clone())]);
    let table = view.table(["REFUSAL", "MEANING"], rows);
    Output::new(json!({ "items": kinds.iter().map(as_json).collect::<Vec<_>>() }), table)
}

/// A kind, in the form of the server's answer.
fn as_json(it: &Explanation) -> Value {
    json!({
        "refusal": it.refusal,
        "title": it.title,
        "rule": it.rule,
        "budget": it.budget,
        "what_works": it.what_works,
    })
}

fn explanation_text(view: &View, it: &Value) -> String {
    let optional = |value: &Value| if value.is_null() { String::new() } else { text(value) };
    let moment = |value: &Value| view.moment_if(value).unwrap_or_default();
    let facts = view.facts(&[
        ("Rule", text(&it["rule"])),
        ("Budget", text(&it["budget"])),
        ("Number", optional(&it["number"])),
        ("Refused", moment(&it["at"])),
        ("Opens", moment(&it["opens_at"])),
        ("Guesses left", optional(&it["guesses_left"])),
        ("Tries left", optional(&it["tries_left"])),
        ("Works now", text(&it["what_works"])),
    ]);
    format!("{}\n\n{facts}", text(&it["title"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_explained_with_what_is_known_of_it() {
        let one = json!({
            "refusal": "code-too-soon", "title": "A code was sent a moment ago.",
            "rule": "Codes to one number are sent at growing distances.",
            "budget": "the number's", "what_works": "Wait.", "number": "+4477*****23",
            "at": "2027-01-15T08:00:20Z", "opens_at": "2027-01-15T08:01:00Z",
            "guesses_left": null, "tries_left": null,
        });
        assert_eq!(
            explanation_text(&View::for_tests(), &one),
            "\
A code was sent a moment ago.

Rule       Codes to one number are sent at growing distances.
Budget     the number's
Number     +4477*****23
Refused    2027-01-15 09:00:20 CET (08:00:20 UTC)
Opens      2027-01-15 09:01:00 CET (08:01:00 UTC)
Works now  Wait.
"
        );
    }

    #[test]
    fn a_kind_that_is_misspelt_is_guessed() {
        assert!(unknown_kind("code-to-soon").ends_with("did you mean code-too-soon?"));
        assert!(unknown_kind("bananas").ends_with("lists all kinds"));
    }

    #[test]
    fn all_kinds_are_listed_within_80_columns() {
        let list = all(&View::for_tests());
        assert_eq!(list.json()["items"].as_array().map(Vec::len), Some(catalogue().len()));
        assert!(list.text().lines().all(|line| line.chars().count() <= 80), "{}", list.text());
        for it in catalogue().iter().map(in_words) {
            let shown = explanation_text(&View::for_tests(), &as_json(&it));
            assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        }
    }
}
