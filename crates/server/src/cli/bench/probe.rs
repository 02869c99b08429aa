//! What the disk can do.

use core::time::Duration;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// Flushes measured; the median of so many is steady.
const FLUSHES: usize = 400;

/// Median time to append 4 KiB and flush it, in a file under `folder`.
pub(super) fn flush(folder: &Path) -> anyhow::Result<Duration> {
    let mut file = File::create(folder.join("flush-probe"))?;
    let block = [0x5a; 4096];
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        #[expect(clippy::disallowed_methods, reason = "this is a measurement")]
        let begun = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times[FLUSHES / 2])
}
