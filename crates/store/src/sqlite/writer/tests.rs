use std::path::Path;

use service::ports::Subject;
use service::testing::store_contract::sample;

use super::*;
use crate::sqlite::migrate::migrate;

/// A writer on an empty database in memory.
fn writer() -> (Queue, JoinHandle<Connection>) {
    counted(Arc::default())
}

/// The same, with its counters.
fn counted(counters: Arc<Counters>) -> (Queue, JoinHandle<Connection>) {
    let mut conn = Connection::open_in_memory().expect("memory");
    migrate(&mut conn, Path::new("memory")).expect("an empty database");
    conn.execute_batch("PRAGMA foreign_keys = ON").expect("a setting");
    let head = AuditHead::read(&conn).expect("no events");
    start(conn, head, 100, 10, counters).expect("a thread")
}

/// Appends the event `n`.
async fn append(queue: &Queue, n: u128) -> Result<(), Failure> {
    let event = sample::event(n, Subject::System);
    let append = move |conn: &Connection, head: &mut AuditHead| {
        *head = head.append(conn, &event)?;
        Ok(())
    };
    queue.shared(append).await
}

fn events(conn: &Connection) -> i64 {
    conn.query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).expect("a count")
}

/// Runs `spoil` between two appends of one transaction and returns the three outcomes.
async fn spoiled(
    queue: &Queue,
    spoil: &'static str,
) -> (Result<(), Failure>, Result<(), Failure>, Result<(), Failure>) {
    // While this holds the writer, the others queue up and so share a transaction.
    let (go, held) = std::sync::mpsc::channel::<()>();
    let gate = queue.alone(move |_| {
        let _ = held.recv();
        Ok(())
    });
    let spoil = queue.shared(move |conn, _| Ok(conn.execute_batch(spoil)?));
    let release = async move { drop(go) };
    let (_, before, spoilt, after, ()) =
        tokio::join!(gate, append(queue, 1), spoil, append(queue, 2), release);
    (before, spoilt, after)
}

#[tokio::test]
async fn a_refused_piece_leaves_its_neighbours_alone() {
    let (queue, thread) = writer();
    let twice = "INSERT INTO allowances VALUES ('a', 1); INSERT INTO allowances VALUES ('a', 2)";
    let (before, spoilt, after) = spoiled(&queue, twice).await;
    assert!(matches!((before, spoilt, after), (Ok(()), Err(Failure::Conflict), Ok(()))));
    drop(queue);
    let conn = thread.join().expect("ends");
    assert_eq!(events(&conn), 2);
    let allowances = conn.query_row("SELECT count(*) FROM allowances", [], |row| row.get(0));
    assert_eq!(allowances, Ok(0), "the first of its statements is undone");
}

#[tokio::test]
async fn a_commit_that_fails_is_told_to_all_and_the_writer_goes_on() {
    // A broken reference that SQLite looks at only in COMMIT.
    let broken = "PRAGMA defer_foreign_keys = ON;
         INSERT INTO claims (id, number, waba) VALUES ('a', 1, 'none')";
    for spoil in [broken, "ROLLBACK"] {
        let (queue, thread) = writer();
        let (before, spoilt, after) = spoiled(&queue, spoil).await;
        assert!(matches!(before, Err(Failure::RolledBack(_))), "{spoil}: {before:?}");
        assert!(matches!(spoilt, Err(Failure::RolledBack(_))), "{spoil}: {spoilt:?}");
        // What had not begun when the transaction broke may have gone into the next one.
        let kept = i64::from(after.is_ok());
        append(&queue, 3).await.expect("the chain goes on where the disk has it");
        drop(queue);
        let conn = thread.join().expect("ends");
        assert_eq!(events(&conn), kept + 1);
        let head = AuditHead::read(&conn).expect("an end");
        assert_eq!(head.seq(), u64::try_from(kept + 1).expect("small"), "no gap");
    }
}

#[tokio::test]
async fn a_writer_fails_from_a_lost_transaction_to_the_next_that_reaches_the_disk() {
    let counters = Arc::new(Counters::default());
    let (queue, _thread) = counted(Arc::clone(&counters));
    append(&queue, 1).await.expect("new");
    assert!(!counters.is_failing());
    let lost = queue.shared(|conn, _| Ok(conn.execute_batch("ROLLBACK")?)).await;
    assert!(matches!(lost, Err(Failure::RolledBack(_))), "{lost:?}");
    assert!(counters.is_failing());
    queue.shared(|_, _| Ok(())).await.expect("nothing to write");
    assert!(counters.is_failing(), "what writes nothing does not ask the disk");
    append(&queue, 2).await.expect("new");
    assert!(!counters.is_failing());
}

#[tokio::test]
async fn a_writer_that_died_makes_every_later_call_fail() {
    let (queue, thread) = writer();
    let died = queue.shared(|_, _| -> Result<(), Failure> { panic!("a bug") }).await;
    assert!(matches!(died, Err(Failure::Closed)), "{died:?}");
    assert!(thread.join().is_err());
    assert!(matches!(append(&queue, 1).await, Err(Failure::Closed)));
    assert!(queue.is_closed());
}

#[tokio::test]
async fn what_was_queued_before_closing_is_done() {
    let (queue, thread) = writer();
    let (one, closed, two) = tokio::join!(append(&queue, 1), queue.close(), append(&queue, 2));
    assert!(one.is_ok() && closed.is_ok());
    let kept = i64::from(two.is_ok());
    assert!(matches!(append(&queue, 3).await, Err(Failure::Closed)));
    queue.close().await.expect("closing twice is no mistake");
    assert_eq!(events(&thread.join().expect("ends")), 1 + kept);
}
