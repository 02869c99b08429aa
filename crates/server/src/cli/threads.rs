//! How many threads do asynchronous work.

use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

/// For a server: as many as there are processors but one, which the store's writer keeps busy.
///
/// With one for each, the writer and a request wait for each other's processor while another is idle
/// ([ADR 0014](../../../../docs/adr/0014-one-processor-for-the-writer.md)).
pub(super) fn of_a_server() -> std::io::Result<Runtime> {
    with_workers(processors().saturating_sub(1))
}

/// For a load on a server of the same machine: every other processor.
pub(super) fn of_a_load() -> std::io::Result<Runtime> {
    with_workers(processors() / 2)
}

fn with_workers(count: usize) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(count.max(1)).enable_all().build()
}

/// Those this process may use, where the system tells.
fn processors() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}
