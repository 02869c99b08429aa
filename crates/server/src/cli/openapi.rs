//! `rollcall openapi`: writes docs/openapi.json.

use std::process::ExitCode;

use clap::Args;

use super::print;

/// Print the OpenAPI document of the admin API
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct Arguments {}

pub(super) fn run() -> anyhow::Result<ExitCode> {
    print(&api::admin::openapi_json())?;
    Ok(ExitCode::SUCCESS)
}
