//! The server under test: the same program, as a process of its own.

use core::time::Duration;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};

/// Settings of the run: limits that would stop a load generator are out of the way.
const SETTINGS: &[(&str, &str)] = &[
    ("ROLLCALL__LOG__LEVEL", "warn"),
    ("ROLLCALL__ONPREM__REQUESTS_PER_SECOND", "1000000"),
    ("ROLLCALL__ONPREM__REQUESTS_BURST", "1000000"),
    ("ROLLCALL__LIMITS__COUNTRY_BURST", "1000000"),
    ("ROLLCALL__LIMITS__COUNTRY_PER_MINUTE", "1000000"),
];

/// A running server; killed if dropped before [`ServerProcess::stop`].
pub(in crate::cli) struct ServerProcess {
    child: Child,
    pub(in crate::cli) address: SocketAddr,
    /// From the start of the process to its first answer.
    pub(in crate::cli) started_in: Duration,
}

/// What the store of the server has done so far.
pub(in crate::cli) struct StoreCounters {
    pub(in crate::cli) units: f64,
    pub(in crate::cli) transactions: f64,
}

impl ServerProcess {
    pub(in crate::cli) fn start(data: &Path) -> anyhow::Result<Self> {
        Self::start_with(data, &[])
    }

    /// The same with further settings, as environment variables.
    pub(in crate::cli) fn start_with(
        data: &Path,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "this is a measurement")]
        let begun = Instant::now();
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .envs(SETTINGS.iter().chain(settings).copied())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let out = child.stdout.take().context("the server has no standard output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let started_in = begun.elapsed();
        let address = line.trim().strip_prefix("listening on http://");
        let Some(address) = address.and_then(|address| address.parse().ok()) else {
            // What went wrong stands on standard error already.
            _ = child.kill();
            _ = child.wait();
            bail!("the server did not start");
        };
        Ok(Self { child, address, started_in })
    }

    pub(in crate::cli) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(in crate::cli) async fn store_counters(&self) -> anyhow::Result<StoreCounters> {
        let text = reqwest::get(self.url("/metrics?format=prometheus")).await?.text().await?;
        let value = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            let value = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
            value.with_context(|| format!("the server's metrics have no {name}"))
        };
        Ok(StoreCounters {
            units: value("rollcall_store_units_total")?,
            transactions: value("rollcall_store_transactions_total")?,
        })
    }

    /// Resident memory, from the kernel.
    pub(in crate::cli) fn resident_mib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
        Ok(kib.context("the kernel tells no VmRSS")? / 1024)
    }

    /// Time on a processor so far, its own and the kernel's for it.
    pub(in crate::cli) fn processor_time(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in brackets, may hold anything; after it `utime` and `stime` are fields 12 and 13
        // (proc_pid_stat(5)), in hundredths of a second on every machine this runs on.
        let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace();
        let ticks: Vec<u64> = fields.skip(11).take(2).filter_map(|it| it.parse().ok()).collect();
        ensure!(ticks.len() == 2, "the kernel tells no processor time");
        Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 10))
    }

    /// Ends it at once, as a crash would (SIGKILL), and waits until it is gone.
    pub(in crate::cli) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Stops it in order, as an operator would.
    pub(in crate::cli) fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status()?;
        ensure!(asked.success(), "the server could not be asked to stop");
        let ended = self.child.wait()?;
        ensure!(ended.success(), "the server ended with {ended}");
        Ok(())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // After `stop` both fail, and that is as it should be.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
