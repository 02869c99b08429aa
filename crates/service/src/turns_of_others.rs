//! Turns for others in loops that wait for nothing: with one thread for requests, whatever goes on for longer than
//! about a millisecond holds up every caller.

/// Steps from one turn of the others to the next.
const STEPS: usize = 16;

/// Lets others have their turn after some steps of a loop, of which this is the one numbered `step`, from 0.
pub async fn let_others(step: usize) {
    if step % STEPS == STEPS - 1 {
        tokio::task::yield_now().await;
    }
}
