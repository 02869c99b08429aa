//! The command line. Each command has a file with its arguments and a `run`.

mod audit;
mod bench;
mod call;
mod cert;
mod client;
mod clock;
mod completions;
mod config;
mod console;
mod demo;
mod doctor;
mod explain;
mod export;
mod fault;
mod fidelity;
mod groups;
mod help;
mod import;
mod inbox;
mod keys;
mod limits;
mod man;
mod names;
mod numbers;
mod openapi;
mod operators;
mod output;
mod pin;
mod policy;
mod register;
mod rig;
mod sends;
mod serve;
mod soak;
mod terminal;
mod threads;
mod tokens;
mod top;
mod users;
mod wabas;
mod watch;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::Environment;
use crate::wiring;

/// The exit code of a command that failed; 2 is for a command line that cannot be understood.
const FAILURE: u8 = 1;

const EXAMPLES: &str = "\
Examples:
  rollcall serve                                   a sandbox on 127.0.0.1:8080
  rollcall serve --data /srv/rollcall --config /etc/rollcall.toml
  rollcall register                                a number, step by step
  rollcall import numbers.csv                      all numbers of a list
  rollcall top                                     the server at work
  rollcall numbers show +447700900123              what it may still do, and when
  rollcall config default > rollcall.toml          all settings with their meaning, to start from
  rollcall config check rollcall.toml              every mistake at once, with line and key
  rollcall doctor                                  what is wrong, and what cures it

Exit codes: 0 done, 1 failed, 2 the command line cannot be understood, 3 refused by a rule.";

/// A self-hosted registrar for WhatsApp Business phone numbers.
#[derive(Debug, Parser)]
#[command(name = "rollcall", version, after_help = EXAMPLES, propagate_version = true)]
struct Cli {
    /// Print results as JSON, for programs
    // Text and not a switch only so that `bench --json FILE` can share its name.
    #[arg(long, global = true, num_args = 0, default_missing_value = "yes")]
    json: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Arguments),
    Demo(demo::Arguments),
    Register(register::Arguments),
    Import(import::Arguments),
    Export(export::Arguments),
    Numbers(numbers::Arguments),
    Names(names::Arguments),
    Watch(watch::Arguments),
    Top(top::Arguments),
    Wabas(wabas::Arguments),
    Pin(pin::Arguments),
    Sends(sends::Arguments),
    Limits(limits::Arguments),
    Users(users::Arguments),
    Groups(groups::Arguments),
    Policy(policy::Arguments),
    Tokens(tokens::Arguments),
    Operators(operators::Arguments),
    Inbox(inbox::Arguments),
    Clock(clock::Arguments),
    Cert(cert::Arguments),
    Audit(audit::Arguments),
    Keys(keys::Arguments),
    Call(call::Arguments),
    Console(console::Arguments),
    Explain(explain::Arguments),
    Doctor(doctor::Arguments),
    Bench(bench::Arguments),
    Fidelity(fidelity::Arguments),
    #[command(hide = true)]
    Soak(soak::Arguments),
    Config(config::Arguments),
    Openapi(openapi::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// What every command is given besides its arguments.
struct Context<'a> {
    environment: &'a Environment,
    /// Whether results are printed as JSON.
    json: bool,
    /// How this program was called.
    program: &'a str,
}

impl Context<'_> {
    /// Whether the terminal, where there is one, can do nothing but show lines.
    fn is_plain(&self) -> bool {
        self.environment.value("TERM") == Some("dumb")
    }

    /// Whether the terminal, where there is one, shall show colours.
    fn wants_colours(&self) -> bool {
        self.environment.value("NO_COLOR").is_none() && !self.is_plain()
    }
}

/// Prints a result on standard output.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Runs the command that `arguments` name, the program's own name first.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let program = arguments.first().map_or("rollcall".into(), |name| name.to_string_lossy());
    let command = help::fitted(Cli::command());
    let parsed = command.try_get_matches_from(&arguments);
    let cli = match parsed.and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => cli,
        Err(refusal) => {
            // Help and version are refusals too, with exit code 0. A closed pipe is not our problem.
            _ = refusal.print();
            return ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(FAILURE));
        }
    };
    let context = Context { environment, json: cli.json.is_some(), program: &program };
    let done = match cli.command {
        Command::Serve(arguments) => serve::run(&arguments, &context),
        Command::Demo(arguments) => demo::run(arguments, &context),
        Command::Register(arguments) => register::run(&arguments, &context),
        Command::Import(arguments) => import::run(&arguments, &context),
        Command::Export(arguments) => export::run(&arguments, &context),
        Command::Watch(arguments) => watch::run(&arguments, &context),
        Command::Top(arguments) => top::run(&arguments, &context),
        Command::Numbers(arguments) => numbers::run(&arguments, &context),
        Command::Names(arguments) => names::run(&arguments, &context),
        Command::Wabas(arguments) => wabas::run(&arguments, &context),
        Command::Pin(arguments) => pin::run(&arguments, &context),
        Command::Sends(arguments) => sends::run(&arguments, &context),
        Command::Limits(arguments) => limits::run(&arguments, &context),
        Command::Users(arguments) => users::run(&arguments, &context),
        Command::Groups(arguments) => groups::run(&arguments, &context),
        Command::Policy(arguments) => policy::run(&arguments, &context),
        Command::Tokens(arguments) => tokens::run(&arguments, &context),
        Command::Operators(arguments) => operators::run(&arguments, &context),
        Command::Inbox(arguments) => inbox::run(&arguments, &context),
        Command::Clock(arguments) => clock::run(&arguments, &context),
        Command::Cert(arguments) => cert::run(&arguments, &context),
        Command::Audit(arguments) => audit::run(&arguments, &context, wiring::open_trail),
        Command::Keys(arguments) => keys::run(&arguments, &context),
        Command::Call(arguments) => call::run(&arguments, &context),
        Command::Console(arguments) => console::run(&arguments, &context),
        Command::Explain(arguments) => explain::run(&arguments, &context),
        Command::Doctor(arguments) => doctor::run(&arguments, &context, wiring::open_trail),
        Command::Openapi(_) => openapi::run(),
        Command::Bench(arguments) => bench::run(&arguments, &context),
        Command::Fidelity(arguments) => fidelity::run(&arguments, &context),
        Command::Soak(arguments) => soak::run(&arguments, wiring::open_trail),
        Command::Config(arguments) => config::run(&arguments, &context),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        let words = fault::in_words(&error);
        _ = writeln!(io::stderr(), "error: {words}");
        if context.json {
            // In the form of the server's own, for programs that read nothing but the output.
            let failed = serde_json::json!({ "error": { "code": "failed", "message": words } });
            _ = print(&format!("{failed}\n"));
        }
        ExitCode::from(FAILURE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_teaches() {
        Cli::command().debug_assert();
        let mut command = Cli::command();
        for command in command.get_subcommands_mut().filter(|command| !command.is_hide_set()) {
            let help = command.render_long_help().to_string();
            assert!(help.contains("Examples:"), "{} has no examples", command.get_name());
        }
    }

    #[test]
    fn colours_are_for_terminals_that_have_them() {
        for (variables, expected) in [
            (&[][..], true),
            (&[("TERM", "xterm-256color"), ("NO_COLOR", "")], true),
            (&[("TERM", "dumb")], false),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], false),
        ] {
            let pairs = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            let environment = Environment(pairs.collect());
            let context = Context { environment: &environment, json: false, program: "rollcall" };
            assert_eq!(context.wants_colours(), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_command_that_does_not_exist_is_a_usage_error() {
        let arguments = ["rollcall", "sevre"].map(OsString::from);
        assert_eq!(run(arguments, &Environment::default()), ExitCode::from(2));
    }
}
