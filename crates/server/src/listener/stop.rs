//! Being told to stop: first gently, then at once.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Tells all who hold a clone of it to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    gently: CancellationToken,
    at_once: CancellationToken,
}

impl Stop {
    /// A stop that SIGTERM and Ctrl-C request; the second of them forces.
    pub fn on_signals() -> io::Result<Self> {
        let stop = Self::default();
        let signals = Signals::listen()?;
        tokio::spawn(stop.clone().follow(signals));
        Ok(stop)
    }

    /// Take no new work, finish what is in flight.
    pub fn request(&self) {
        self.gently.cancel();
    }

    /// Finish nothing.
    pub fn force(&self) {
        self.request();
        self.at_once.cancel();
    }

    /// Waits until stopping is requested.
    pub async fn requested(&self) {
        self.gently.cancelled().await;
    }

    /// Waits until stopping is forced.
    pub async fn forced(&self) {
        self.at_once.cancelled().await;
    }

    async fn follow(self, mut signals: Signals) {
        signals.next().await;
        tracing::info!("stopping; once more to stop at once");
        self.request();
        signals.next().await;
        self.force();
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
