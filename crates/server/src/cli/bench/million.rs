//! A database of a million registered numbers against an empty one.

use core::time::Duration;
use std::path::Path;

use super::load::Registrations;
use super::progress;
use super::report::{Report, Row};
use crate::cli::rig::data;
use crate::cli::rig::server_process::ServerProcess;

/// Numbers in the large database.
const NUMBERS: usize = 1_000_000;

/// Callers at once: few, so that latency is what one registration costs.
const CONNECTIONS: usize = 4;

pub(super) async fn measure(
    folder: &Path,
    length: Duration,
    report: &mut Report,
) -> anyhow::Result<()> {
    let clients = usize::try_from(length.as_secs())? * 5_000;
    progress("latency on an empty database")?;
    let empty = folder.join("empty");
    let tokens = data::registered(&empty, 0, clients).await?;
    let server = ServerProcess::start(&empty)?;
    let alone = Registrations::new(&server, tokens).await?.run(CONNECTIONS, length, None).await?;
    server.stop()?;

    progress("database of a million numbers")?;
    let large = folder.join("large");
    let tokens = data::registered(&large, NUMBERS, clients).await?;
    // Once to migrate and warm nothing but the file itself; the second start is the one that counts.
    let server = ServerProcess::start(&large)?;
    let started_ms = server.started_in.as_secs_f64() * 1000.0;
    report.row(Row::at_most("start-up with a million numbers, ms", started_ms, 1000.0));
    let among = Registrations::new(&server, tokens).await?.run(CONNECTIONS, length, None).await?;
    #[expect(clippy::cast_precision_loss, reason = "mebibytes")]
    let resident = server.resident_mib()? as f64;
    report.row(Row::at_most("resident memory with a million numbers, MiB", resident, 150.0));
    let ratio = among.quantile_ms(0.5) / alone.quantile_ms(0.5);
    report.note("p50 empty / million", format!("{} / {} ms", alone.ms(0.5), among.ms(0.5)));
    report.row(Row::at_most("median latency, million against empty", ratio, 1.3));
    server.stop()
}
