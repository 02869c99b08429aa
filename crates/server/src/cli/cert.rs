//! `rollcall cert`

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Context;
use super::client::{self, Client, Connection, Failure};
use super::output::{Output, View, number, text};

const EXAMPLES: &str = "\
Examples:
  rollcall cert issue --number +447700900123 --name \"Lucky Shrub\"
  CERT=$(rollcall cert issue --number +447700900123 --name \"Lucky Shrub\" 2>/dev/null)
  rollcall cert show CERTIFICATE         any certificate, also Meta's
  rollcall cert show certificate.txt     from a file; - reads standard input

The certificate goes to standard output, what it says to standard error.";

/// Issue and read display-name certificates
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Issue a certificate that counts for 14 days
    Issue {
        /// The number that it is for
        #[arg(long)]
        number: String,
        /// The approved display name
        #[arg(long)]
        name: String,
        /// The WABA that may register the number; that of the client "default" if absent
        #[arg(long)]
        waba: Option<String>,
    },
    /// Show what a certificate says and whether it was issued here
    Show {
        /// The certificate, a file with it, or -
        certificate: String,
    },
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let json = context.json;
    client::run(&arguments.connection, context, async |client, view| match &arguments.command {
        Command::Issue { number, name, waba } => {
            let order = json!({ "number": number, "name": name, "waba": waba });
            let issued = client.post("/certificates", order).await?;
            if !json {
                eprint!("{}", summary(view, &issued));
            }
            let certificate = text(&issued["certificate"]);
            Ok(Output::new(issued, certificate))
        }
        Command::Show { certificate } => show(client, view, certificate).await,
    })
}

async fn show(client: &Client, view: &View, given: &str) -> Result<Output, Failure> {
    let body = json!({ "certificate": certificate_text(given)? });
    let read = client.post("/certificates/read", body).await?;
    let shown = summary(view, &read);
    Ok(Output::new(read, shown))
}

/// The certificate itself, from standard input or a file if that is what was named.
fn certificate_text(given: &str) -> anyhow::Result<String> {
    let mut found = String::new();
    if given == "-" {
        std::io::stdin().read_to_string(&mut found).context("cannot read standard input")?;
    } else if Path::new(given).is_file() {
        found = std::fs::read_to_string(given).with_context(|| format!("cannot read {given}"))?;
    } else {
        given.clone_into(&mut found);
    }
    Ok(found.split_whitespace().collect())
}

fn summary(view: &View, it: &Value) -> String {
    let origin = match it["origin"].as_str() {
        Some("own") => format!("issued here, counts until {}", view.moment(&it["expires_at"])),
        Some("own_expired") => format!("issued here, expired {}", view.moment(&it["expires_at"])),
        Some("forged") => "says to be issued here, but no key of this server signed it".to_owned(),
        _ => "issued elsewhere: readable, cannot be authenticated".to_owned(),
    };
    view.facts(&[
        ("Name", text(&it["name"])),
        ("Number", number(&it["number"])),
        ("WABA", text(&it["waba"])),
        ("Serial", text(&it["serial"])),
        ("Issuer", text(&it["issuer"])),
        ("Issued", view.moment(&it["issued_at"])),
        ("Origin", origin),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_taken_from_the_line_or_from_a_file() {
        assert_eq!(certificate_text("CiQK\nIAj").expect("text"), "CiQKIAj");
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("cert.txt");
        std::fs::write(&path, "CiQK\nIAj \n").expect("written");
        assert_eq!(certificate_text(path.to_str().expect("UTF-8")).expect("file"), "CiQKIAj");
    }

    #[test]
    fn a_summary_says_where_a_certificate_comes_from() {
        let own = json!({
            "name": "Lucky Shrub", "number": "+447700900123", "waba": "102290129340398",
            "serial": 123_456_789_012_345_u64, "issuer": "ent:rollcall",
            "issued_at": "2027-01-15T08:00:00Z", "origin": "own",
            "expires_at": "2027-01-29T08:00:00Z",
        });
        assert_eq!(
            summary(&View::for_tests(), &own),
            "\
Name    Lucky Shrub
Number  +44 7700 900123
WABA    102290129340398
Serial  123456789012345
Issuer  ent:rollcall
Issued  2027-01-15 09:00:00 CET (08:00:00 UTC)
Origin  issued here, counts until 2027-01-29 09:00:00 CET (08:00:00 UTC)
"
        );
    }
}
