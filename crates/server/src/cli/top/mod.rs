//! `rollcall top`: the server at work, redrawn in place.
//!
//! Everything comes from the operator's API and the open metrics: the trail behind the last place seen, the
//! latest messages, the counters. Rates are over the last ten seconds that were looked at.

mod picture;
mod sample;
mod screen;

use core::time::Duration;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use tokio::time::Instant;

use super::client::{self, Client, Connection, Failure};
use super::output::{Output, View};
use super::{Context, print};
use crate::config::duration;
use picture::Picture;
use sample::Sampler;
use screen::Screen;

/// Shortest pause between two looks: more often is no news, only load.
const EVERY_MIN: Duration = Duration::from_millis(200);

const EXAMPLES: &str = "\
Examples:
  rollcall top                        redrawn each second; q or Ctrl-C ends
  rollcall top --once                 one picture, after a second of looking
  rollcall top --json                 a JSON object per look, for programs
  rollcall top --once --json | jq .rates

Codes, registrations and refusals are counted from the audit trail, requests and senders from /metrics.";

/// Watch the server at work: rates, numbers, refusals by rule, senders, messages
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// One picture, then end
    #[arg(long)]
    once: bool,
    /// How often to look
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration::parse)]
    every: Duration,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let every = arguments.every.max(EVERY_MIN);
    let drawable = std::io::stdout().is_terminal() && !context.is_plain();
    let drawn = drawable && !arguments.once && !context.json;
    client::run(&arguments.connection, context, async |client, view| {
        let mut sampler = Sampler::begin(client).await?;
        if drawn {
            draw(client, view, &mut sampler, every).await?;
            return Ok(Output::silent());
        }
        loop {
            tokio::time::sleep(every).await;
            let picture = look(client, &mut sampler).await?;
            if arguments.once || !context.json {
                let shown = picture.to_text(view, usize::MAX);
                return Ok(Output::new(picture.to_json(), shown));
            }
            print(&format!("{}\n", picture.to_json())).map_err(anyhow::Error::from)?;
        }
    })
}

async fn look(client: &Client, sampler: &mut Sampler) -> Result<Picture, Failure> {
    let sample = sampler.look(client).await?;
    Ok(sampler.picture(sample, Instant::now()))
}

/// Redraws the screen until somebody ends it. A server that is gone is said so and looked for again.
async fn draw(
    client: &Client,
    view: &View,
    sampler: &mut Sampler,
    every: Duration,
) -> Result<(), Failure> {
    let mut screen = Screen::take().map_err(anyhow::Error::from)?;
    let mut last = None;
    loop {
        let note = match look(client, sampler).await {
            Ok(picture) => {
                last = Some(picture);
                None
            }
            Err(failure @ Failure::Unreachable { .. }) => Some(failure.to_string()),
            Err(failure) => return Err(failure),
        };
        let height = screen.measure();
        let mut text = last.as_ref().map_or_else(String::new, |it| it.to_text(view, height));
        if let Some(note) = note {
            text = format!("{note}\n\n{text}");
        }
        screen.show(&text).map_err(anyhow::Error::from)?;
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = screen.ended() => return Ok(()),
        }
    }
}
