//! What a call of a client asks for first, by one statement: what one look-up has read of the database, the next
//! need not.

use registration::PhoneNumber;
use rusqlite::Connection;
use service::ports::{Entity, EntityRef, Versioned};

use super::entities;
use super::failure::Failure;
use super::numbers::phone_number;

/// What was found; `None` where there is nothing.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pub(super) client: Option<Versioned<Entity>>,
    pub(super) session: Option<Versioned<Entity>>,
    /// The number that the client holds.
    pub(super) held: Option<PhoneNumber>,
    /// The number of which the client awaits a code that was requested last.
    pub(super) pending: Option<PhoneNumber>,
}

/// Reads it.
pub(super) fn load(
    conn: &Connection,
    client: &EntityRef,
    session: &EntityRef,
) -> Result<Ahead, Failure> {
    // The columns of an entity; `kind` says what a row is.
    let mut statement = conn.prepare_cached(
        "SELECT kind, id, version, body, content FROM entities WHERE kind = 'client' AND id = $1
         UNION ALL
         SELECT kind, id, version, body, content FROM entities WHERE kind = 'session' AND id = $2
         UNION ALL
         SELECT 'held', number, 0, '', NULL FROM numbers WHERE registered_client = $1
         UNION ALL
         SELECT * FROM (SELECT 'pending', number, 0, '', NULL FROM claims WHERE pending_client = $1
                        ORDER BY pending_since DESC, number DESC LIMIT 1)",
    )?;
    let mut rows = statement.query([&client.id, &session.id])?;
    let mut ahead = Ahead::default();
    while let Some(row) = rows.next()? {
        match row.get_ref(0)?.as_bytes().unwrap_or_default() {
            b"held" => ahead.held = Some(phone_number("numbers", row.get(1)?)?),
            b"pending" => ahead.pending = Some(phone_number("claims", row.get(1)?)?),
            b"session" => ahead.session = Some(entities::read(row)?),
            _ => ahead.client = Some(entities::read(row)?),
        }
    }
    Ok(ahead)
}
