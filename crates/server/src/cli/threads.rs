//! How many threads do asynchronous work.

use std::num::NonZero;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

/// For a server ([ADR 0014](../../../../docs/adr/0014-a-processor-for-the-writer.md)).
pub(super) fn of_a_server() -> std::io::Result<Runtime> {
    with_workers(serving(processors()))
}

/// For a load on a server of the same machine.
pub(super) fn of_a_load() -> std::io::Result<Runtime> {
    with_workers(loading(processors()))
}

/// One for each processor but one: that is for the store's writer.
const fn serving(processors: usize) -> usize {
    match processors.saturating_sub(1) {
        0 => 1,
        others => others,
    }
}

/// One for every other processor: the rest are the server's.
const fn loading(processors: usize) -> usize {
    match processors / 2 {
        0 => 1,
        half => half,
    }
}

fn with_workers(count: usize) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(count).enable_all().build()
}

/// Those this process may use, where the system tells.
fn processors() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_leaves_a_processor_to_its_writer_and_a_load_half_to_the_server() {
        for (processors, server, load) in [(1, 1, 1), (2, 1, 1), (3, 2, 1), (4, 3, 2), (16, 15, 8)]
        {
            assert_eq!((serving(processors), loading(processors)), (server, load), "{processors}");
        }
    }
}
