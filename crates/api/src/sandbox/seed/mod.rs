//! The seed file: TOML that describes an installation, and what `POST /seed` does with it.
//!
//! ```toml
//! [[account]]
//! name = "default"                    # also its id, unless id = … says otherwise
//!   [[account.space]]
//!   cust_space_id = "cams-test01"     # name = …
//!     [[account.space.waba]]
//!     id = "102290129340398"          # name = …
//!       [[account.space.waba.number]]
//!       phone_number = "+33639980001"
//!       verified_name = "Example"     # or certificate = "…", which carries a name
//!       state = "registered"          # unverified, awaiting_code, verified, registered
//!       client = "second"             # awaiting_code: who asked; registered: who runs it
//!       two_step_pin = "123456"       # and: id, method, platform, locked, sms_sent, voice_calls,
//!                                     # failed_guesses, register_calls, deregister_calls, pin_failures
//!   [[account.client]]
//!   name = "second"
//!   admin_password = "Sandbox-1!"     # and: waba, host, retired, shards, api_key
//! ```
//!
//! Credentials of the hosted dialects (`access_key`, `temporary_key`, `graph_token`, `user`, `policy`)
//! are read and checked too. Everything wrong is reported at once, with line and key.

mod accounts;
mod credentials;
mod numbers;
mod reader;

use core::fmt;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Value, json};
use service::seed::{Seed, SeedTally, Seeded};
use tokio::runtime::Handle;

use self::reader::Section;
use super::body::Problem;
use crate::state::App;

pub use self::reader::SeedProblem;

/// Everything that is wrong with a seed file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedProblems(pub Vec<SeedProblem>);

/// Reads a seed file.
pub fn parse(text: &str) -> Result<Seed, SeedProblems> {
    reader::read(text, |root| {
        root.knows(&["account"]);
        let mut numbers = numbers::Census::default();
        let accounts = root.sections("account");
        let mut read = |section: &Section<'_>| accounts::account(section, &mut numbers);
        Seed { accounts: accounts.iter().filter_map(&mut read).collect() }
    })
    .map_err(SeedProblems)
}

/// `POST /seed`: applies the body as a whole; what it names is afterwards as it says.
pub(super) async fn apply(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Problem> {
    // A seed of a megabyte takes a good part of a second: on a thread that serves nobody.
    let here = Handle::current();
    let work = move || here.block_on(apply_text(&app, &body));
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Problem::bug("the seed broke off"))).map(Json)
}

async fn apply_text(app: &App, text: &[u8]) -> Result<Value, Problem> {
    let text = str::from_utf8(text).map_err(|_| Problem::invalid("a seed file is UTF-8"))?;
    let seed = parse(text).map_err(|problems| Problem::invalid(problems.to_json()))?;
    let prepared = app.service.prepare_seed(seed).await?;
    match app.service.apply_seed(&prepared).await? {
        Seeded::Done(tally) => Ok(json!({ "seeded": tally_json(&tally) })),
        Seeded::Clash(clashes) => Err(Problem::conflict(clashes)),
    }
}

pub(super) fn tally_json(tally: &SeedTally) -> Value {
    json!({
        "accounts": tally.accounts,
        "spaces": tally.spaces,
        "wabas": tally.wabas,
        "clients": tally.clients,
        "numbers": tally.numbers,
    })
}

impl SeedProblems {
    fn to_json(&self) -> Value {
        let one =
            |it: &SeedProblem| json!({ "line": it.line, "key": it.key, "problem": it.problem });
        self.0.iter().map(one).collect()
    }
}

impl fmt::Display for SeedProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl core::error::Error for SeedProblems {}
