//! Where calls wait for their turn, so that the seed alone decides who goes on.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::chance::Chance;

/// Holds whoever passes until it is let through. The store and the delivery have one in front of each
/// effect and behind it, so a call can be cut off, or overtaken, at each of these points.
#[derive(Debug, Default)]
pub struct Gate {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    closed: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Gate {
    /// From now on everybody waits. A new gate lets everybody through.
    pub fn close(&self) {
        self.lock().closed = true;
    }

    /// Waits for its turn.
    pub async fn pass(&self) {
        let turn = {
            let mut inner = self.lock();
            if !inner.closed {
                return;
            }
            let (sender, turn) = oneshot::channel();
            inner.waiting.push(sender);
            turn
        };
        // An error would mean that the gate is gone, and with it the reason to wait.
        let _ = turn.await;
    }

    /// Lets one of those who wait through; `false` if nobody does.
    pub fn release_one(&self, chance: &mut Chance) -> bool {
        let mut inner = self.lock();
        inner.waiting.retain(|turn| !turn.is_closed());
        if inner.waiting.is_empty() {
            return false;
        }
        let place = chance.place(inner.waiting.len());
        inner.waiting.remove(place).send(()).is_ok()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
