//! The `rollcall` binary: command line and environment in, exit code out.

use std::process::ExitCode;

use server::cli;
use server::config::Environment;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The one look at the environment; a variable that is not UTF-8 cannot be one of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    cli::run(std::env::args_os(), &Environment(variables.collect()))
}
