//! `rollcall demo`

mod story;

use std::fs::Permissions;
use std::io::IsTerminal as _;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use tokio::sync::oneshot;

use super::{Context, print, serve, threads};
use crate::config::{self, Config, Flag};
use crate::data_dir::DataDir;
use crate::listener::Stop;
use crate::{logging, wiring};

const EXAMPLES: &str = "\
Examples:
  rollcall demo                  one registration over HTTP, then a server to go on with
  rollcall demo --once           the registration alone; exit code 0 if it worked
  rollcall demo --data ./demo    keeps the data folder (it must be new)

The data folder is a temporary one unless --data names it, and goes when the server stops.";

/// Where the demo listens unless told otherwise.
const LISTEN: &str = "127.0.0.1:8080";

/// See one number registered over HTTP, then go on with the server
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// New data folder; without it a temporary one
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address for HTTP; port 0 takes a free one [default: 127.0.0.1:8080, or a free port if taken]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Stop after the registration
    #[arg(long)]
    once: bool,
}

pub(super) fn run(arguments: Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    // Dropped, and with it the folder, after the server has stopped.
    let temporary = match &arguments.data {
        None => Some(private_folder()?),
        Some(_) => None,
    };
    let folder = arguments
        .data
        .or_else(|| temporary.as_ref().map(|folder| folder.path().to_owned()))
        .context("no data folder")?;
    let config = settings(&folder, arguments.listen, context)?;
    logging::start(&config.log, context.wants_colours());
    let data = DataDir::open(&config.data.dir)?;
    let runtime = threads::of_a_server()?;
    runtime.block_on(play(&config, &data, arguments.once, context))
}

/// Keys and tokens lie in it, so nobody else may look into it.
fn private_folder() -> std::io::Result<tempfile::TempDir> {
    let private = Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix("rollcall-demo-").permissions(private).tempdir()
}

fn settings(
    folder: &Path,
    listen: Option<String>,
    context: &Context<'_>,
) -> anyhow::Result<Config> {
    let listen = listen.unwrap_or_else(|| {
        // Taken by somebody else: any free port will do for a demo.
        if TcpListener::bind(LISTEN).is_ok() { LISTEN } else { "127.0.0.1:0" }.to_owned()
    });
    let folder = folder.to_str().context("the path of the data folder is not UTF-8")?;
    let flags = [
        ("--data", "data.dir", folder.to_owned()),
        ("--listen", "listen.http", listen),
        ("--mode", "mode", "sandbox".to_owned()),
        // Only what goes wrong belongs between the lines of the story.
        ("demo", "log.level", "warn".to_owned()),
    ];
    let flags = flags.map(|(name, key, value)| Flag { name, key, value });
    let mut config = config::load(None, context.environment, &flags)?.config;
    config.listen.https = None;
    Ok(config)
}

async fn play(
    config: &Config,
    data: &DataDir,
    once: bool,
    context: &Context<'_>,
) -> anyhow::Result<ExitCode> {
    let stop = Stop::on_signals()?;
    let (ready, address) = oneshot::channel();
    let inputs = wiring::Inputs { config, environment: context.environment, seed: None };
    let served = serve::serve(
        inputs,
        data,
        stop.clone(),
        || Ok(config.clone()),
        |address, path| {
            // Nobody waits any more if the demo was stopped meanwhile.
            _ = ready.send((address, path.map(str::to_owned)));
        },
    );
    let tell = async {
        // An error of the server itself ends both; it is reported below.
        let Ok((address, console)) = address.await else { return Ok(()) };
        let told = story(address, data, once, console, context).await;
        if once || told.is_err() {
            stop.request();
        }
        told
    };
    let (served, told) = tokio::join!(served, tell);
    told.and(served)
}

async fn story(
    address: SocketAddr,
    data: &DataDir,
    once: bool,
    console: Option<String>,
    context: &Context<'_>,
) -> anyhow::Result<()> {
    let colours = std::io::stdout().is_terminal() && context.wants_colours();
    let token = data.operator_token(&crate::entropy::OsEntropy)?;
    let mut story = story::Story::new(format!("http://{address}"), token.to_string(), colours)?;
    story.tell().await.context("the demo could not go on")?;
    if !once {
        print(&story.farewell(context.program, data.path(), console.as_deref()))?;
    }
    Ok(())
}
