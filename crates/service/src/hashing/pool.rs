//! Blocking work with a bound on what runs and on what waits.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::HashError;

/// Runs blocking work on as many threads as there are cores. Clones share the bounds.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    /// One seat for each piece of work that runs or waits.
    seats: Arc<Semaphore>,
    /// One permit for each piece that runs.
    cores: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(cores: usize, queue: usize) -> Self {
        let cores = cores.clamp(1, Semaphore::MAX_PERMITS);
        let seats = cores.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Self { seats: Arc::new(Semaphore::new(seats)), cores: Arc::new(Semaphore::new(cores)) }
    }

    /// Runs `work` when a core is free; [`HashError::Busy`] at once if the waiting line is full.
    ///
    /// A caller that gives up frees its place in the line; work that has begun runs to its end and holds
    /// its core until then.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashError> {
        let seat = Arc::clone(&self.seats).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let core = Arc::clone(&self.cores).acquire_owned().await.map_err(|_| HashError::Failed)?;
        let bounded = move || {
            let _held_until_done = (seat, core);
            work()
        };
        // The error would carry the panic's message; nobody has vetted that for secrets.
        tokio::task::spawn_blocking(bounded).await.map_err(|_| HashError::Failed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Runs one piece of work that ends when the returned sender is dropped or used.
    fn occupy(pool: &Pool) -> (mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), HashError>>) {
        let (release, released) = mpsc::channel::<()>();
        let pool = pool.clone();
        let task = tokio::spawn(async move {
            pool.run(move || {
                let _ = released.recv();
            })
            .await
        });
        (release, task)
    }

    /// Lets the other tasks run until no permit is left; each of them needs one turn.
    async fn until_taken(permits: &Semaphore) {
        for _ in 0..100 {
            if permits.available_permits() == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("{} permits are left", permits.available_permits());
    }

    #[tokio::test]
    async fn beyond_the_waiting_line_the_answer_is_busy_at_once() {
        let pool = Pool::new(1, 1);
        let (release, running) = occupy(&pool);
        until_taken(&pool.cores).await;
        let waiting = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(|| 7).await }
        });
        until_taken(&pool.seats).await;
        assert_eq!(pool.run(|| 8).await, Err(HashError::Busy));
        assert!(!waiting.is_finished());
        drop(release);
        assert_eq!(running.await.expect("no panic"), Ok(()));
        assert_eq!(waiting.await.expect("no panic"), Ok(7));
        assert_eq!(pool.run(|| 9).await, Ok(9));
    }

    #[tokio::test]
    async fn who_gives_up_frees_its_place_and_running_work_keeps_its_core() {
        let pool = Pool::new(1, 1);
        let (release, running) = occupy(&pool);
        until_taken(&pool.cores).await;
        let (_unused, waiting) = occupy(&pool);
        until_taken(&pool.seats).await;
        waiting.abort();
        assert!(waiting.await.expect_err("aborted").is_cancelled());
        assert_eq!(pool.seats.available_permits(), 1);
        running.abort();
        assert!(running.await.expect_err("aborted").is_cancelled());
        assert_eq!(pool.cores.available_permits(), 0, "the work still runs");
        assert_eq!(pool.seats.available_permits(), 1, "and keeps its seat");
        drop(release);
        assert_eq!(pool.run(|| 1).await, Ok(1));
    }

    #[tokio::test]
    async fn a_panic_in_the_work_fails_that_work_alone() {
        let pool = Pool::new(1, 0);
        let failed = pool.run(|| -> u8 { panic!("a secret in a message") }).await;
        assert_eq!(failed, Err(HashError::Failed));
        assert_eq!(pool.run(|| 1).await, Ok(1));
    }
}
