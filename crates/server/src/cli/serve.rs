//! `rollcall serve`

use core::convert::Infallible;
use core::time::Duration;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use service::ports::Clock as _;
use service::seed::Seed;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Context, FAILURE, print, threads};
use crate::clock::SystemClock;
use crate::config::{self, Config, Flag, HostPort, Loaded, Mode, Origin};
use crate::data_dir::DataDir;
use crate::listener::{Drained, Listener, Options, Stop};
use crate::tls::{self, Tls};
use crate::{logging, wiring};

/// How often the certificate files are looked at.
const CERTIFICATE_WATCH: Duration = Duration::from_secs(5);

const EXAMPLES: &str = "\
Examples:
  rollcall serve                                        a sandbox, nothing else needed
  rollcall serve --data /tmp/try --listen 127.0.0.1:0   on a free port, which it prints
  rollcall serve --seed fixtures.toml                   with accounts, numbers and keys to test with
  rollcall serve --config /etc/rollcall.toml            with settings; see `rollcall config default`

Prints `listening on http://HOST:PORT` on standard output once it answers; logs go to standard error.
Ctrl-C or SIGTERM lets requests in flight finish, a second one stops at once. SIGHUP reads certificate
files and the settings again; limits, policies and callbacks change without a restart.";

/// Run the server
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Folder of the database, keys and tokens; made if absent
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Address for plain HTTP; port 0 takes a free one. Without --listen-https, drops the default
    /// HTTPS address
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<HostPort>,
    /// Address for HTTPS, or "off"
    #[arg(long, value_name = "HOST:PORT")]
    listen_https: Option<String>,
    /// Settings that differ from the defaults
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What a sandbox starts with (TOML)
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// What the server is for
    #[arg(long, value_parser = ["sandbox", "production"])]
    mode: Option<String>,
}

pub(super) fn run(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<ExitCode> {
    let config = settings(arguments, context)?;
    logging::start(&config.log, context.wants_colours());
    if let Some(place) = context.environment.value("ROLLCALL_FAULT_POINT") {
        service::fault::arm(place);
    }
    let seed = match &arguments.seed {
        Some(path) => Some(read_seed(path, config.mode)?),
        None => None,
    };
    let data = DataDir::open(&config.data.dir)?;
    let runtime = threads::of_a_server()?;
    runtime.block_on(async {
        let stop = Stop::on_signals()?;
        let scene = wiring::Inputs { config: &config, environment: context.environment, seed };
        let reload = || settings(arguments, context);
        serve(scene, &data, stop, reload, announce_console).await
    })
}

fn settings(arguments: &Arguments, context: &Context<'_>) -> anyhow::Result<Config> {
    let given = [
        ("--data", "data.dir", arguments.data.clone()),
        ("--listen", "listen.http", arguments.listen.as_ref().map(ToString::to_string)),
        ("--listen-https", "listen.https", arguments.listen_https.clone()),
        ("--mode", "mode", arguments.mode.clone()),
    ];
    let flags: Vec<Flag> = given
        .into_iter()
        .filter_map(|(name, key, value)| Some(Flag { name, key, value: value? }))
        .collect();
    let Loaded { mut config, settings } =
        config::load(arguments.config.as_deref(), context.environment, &flags)?;
    let shown = settings.iter().map(|setting| api::console::Setting {
        key: setting.key.clone(),
        value: setting.value.to_string(),
        origin: setting.origin.to_string(),
        is_default: setting.origin == Origin::Default,
    });
    api::console::tell_settings(shown.collect());
    // Whoever names one address gets that one: several servers can then run side by side.
    let default = |key: &str| {
        settings.iter().any(|setting| setting.key == key && setting.origin == Origin::Default)
    };
    if arguments.listen.is_some() && default("listen.https") {
        config.listen.https = None;
    }
    Ok(config)
}

/// The seed is checked before anything is touched.
fn read_seed(path: &Path, mode: Mode) -> anyhow::Result<Seed> {
    if mode == Mode::Production {
        bail!("--seed is for a sandbox; in production use the admin API");
    }
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the seed file {}", path.display()))?;
    api::sandbox::seed::parse(&text)
        .with_context(|| format!("the seed file {} has mistakes", path.display()))
}

/// Tells a person at a terminal where to look; programs that read the output see only where it listens.
fn announce_console(address: SocketAddr, path: Option<&str>) {
    if let Some(path) = path.filter(|_| std::io::stdout().is_terminal()) {
        // A closed output must not stop the server.
        _ = print(&format!("console, opens once within 10 min: http://{address}{path}\n"));
    }
}

/// Serves until `stop` is requested; `ready` is told the address once requests are accepted, and in a
/// sandbox the path that logs into the console. On SIGHUP the settings come from `reload`.
pub(super) async fn serve(
    inputs: wiring::Inputs<'_>,
    data: &DataDir,
    stop: Stop,
    reload: impl Fn() -> anyhow::Result<Config>,
    ready: impl FnOnce(SocketAddr, Option<&str>),
) -> anyhow::Result<ExitCode> {
    let config = inputs.config;
    let hangups = signal(SignalKind::hangup())?;
    let https = config.listen.https.as_ref();
    let tls = match https {
        Some(address) => {
            Some(Tls::load(certificate_source(config, data, address), SystemClock::new().now())?)
        }
        None => None,
    };
    let listener = Listener::bind(&config.listen.http, https).await?;
    let ca = tls.clone();
    let ca_pem = move || ca.as_ref().map(|tls| tls.ca_pem()).unwrap_or_default();
    let app = wiring::app(inputs, data, ca_pem, listener.connections(), &stop).await?;
    if let Some(password) = &app.first_password {
        print(&format!(
            "first start: the default client's admin has the password {password}\n\
             It is shown this once; the first login must replace it.\n"
        ))?;
    }
    print(&announcement(&listener)?)?;
    ready(listener.http_address()?, app.console_path.as_deref());
    let server_config = tls.as_ref().map(Tls::server_config);
    let options = Options::from(&config.listen);
    let reload = || match reload() {
        Ok(config) => {
            (app.set_policy)(&config);
            tracing::info!("settings read again; addresses, folders and the like need a restart");
        }
        Err(error) => tracing::error!(error = format!("{error:#}"), "settings not read again"),
    };
    let drained = tokio::select! {
        drained = listener.serve(app.router, options, server_config, app.render, stop) => drained,
        never = watch(tls.clone(), hangups, reload) => match never {},
    };
    app.flush.await;
    Ok(match drained {
        Drained::Finished | Drained::TimedOut => ExitCode::SUCCESS,
        Drained::Forced => ExitCode::from(FAILURE),
    })
}

fn announcement(listener: &Listener) -> anyhow::Result<String> {
    let mut lines = format!("listening on http://{}\n", listener.http_address()?);
    if let Some(address) = listener.https_address()? {
        writeln!(lines, "listening on https://{address}")?;
    }
    Ok(lines)
}

fn certificate_source(config: &Config, data: &DataDir, address: &HostPort) -> tls::Source {
    if let (Some(certificate), Some(key)) = (&config.tls.certificate_file, &config.tls.key_file) {
        return tls::Source::Files { certificate: certificate.clone(), key: key.clone() };
    }
    let mut names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    let public = config.public_url.as_deref().and_then(|url| url.parse::<http::Uri>().ok());
    let public = public.as_ref().and_then(|url| url.host());
    for name in [Some(address.host.as_str()), public].into_iter().flatten() {
        // "Every address" is no name that a client could ask for.
        if !["0.0.0.0", "::"].contains(&name) && !names.iter().any(|known| known == name) {
            names.push(name.trim_matches(['[', ']']).to_owned());
        }
    }
    tls::Source::SelfMade { folder: data.file("tls"), names }
}

/// Keeps the certificate fresh, and reads it and the settings again on SIGHUP.
async fn watch(tls: Option<Arc<Tls>>, mut hangups: Signal, reload: impl Fn()) -> Infallible {
    let clock = SystemClock::new();
    let mut ticks = tokio::time::interval(CERTIFICATE_WATCH);
    loop {
        let asked = tokio::select! {
            _ = hangups.recv() => true,
            _ = ticks.tick() => false,
        };
        if asked {
            reload();
        }
        let Some(tls) = &tls else { continue };
        let reloaded =
            if asked { tls.reload(clock.now()).map(|()| true) } else { tls.refresh(clock.now()) };
        match reloaded {
            Ok(true) => tracing::info!("certificate reloaded"),
            Ok(false) => {}
            Err(error) => {
                let error = anyhow::Error::from(error);
                tracing::error!(error = format!("{error:#}"), "certificate not reloaded");
            }
        }
    }
}
