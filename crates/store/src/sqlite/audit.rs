//! The audit chain.

use registration::{TextId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use service::audit::{chain_hash, genesis};
use service::ports::{AuditEntry, AuditQuery, EntityKind, EntityRef, Event, EventId, Subject};

use super::failure::Failure;
use super::numbers::{phone_number, sql_number};
use super::select::Select;
use crate::row::{BadRow, Place};

/// The end of the chain: what the next event is hashed onto.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AuditHead {
    seq: u64,
    hash: [u8; 32],
}

impl AuditHead {
    /// The end of the chain as it is stored.
    pub(super) fn read(conn: &Connection) -> rusqlite::Result<Self> {
        let last = conn
            .prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
            .optional()?;
        let (seq, hash) = last.unwrap_or((0, genesis()));
        Ok(Self { seq: seq.cast_unsigned(), hash })
    }

    /// The place of the last event; 0 if there is none.
    #[cfg(test)]
    pub(super) fn seq(self) -> u64 {
        self.seq
    }

    /// Stores `event` as the next one; the new end if it is kept is returned.
    pub(super) fn append(self, conn: &Connection, event: &Event) -> Result<Self, Failure> {
        let seq = self.seq + 1;
        let hash = chain_hash(&self.hash, seq, event);
        let (number, entity) = match &event.subject {
            Subject::Number(number) => (Some(sql_number(*number)), None),
            Subject::Entity(key) => (None, Some(key)),
            Subject::System => (None, None),
        };
        conn.prepare_cached(
            "INSERT INTO audit
             (seq, id, at, number, subject_kind, subject_id, account, actor, kind, details, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )?
        .execute(params![
            seq.cast_signed(),
            event.id.0.to_be_bytes(),
            event.at.as_millis(),
            number,
            entity.map(|key| key.kind.as_str()),
            entity.map(|key| key.id.as_str()),
            event.account.as_ref().map(TextId::as_str),
            event.actor,
            event.kind,
            event.details,
            hash,
        ])?;
        Ok(Self { seq, hash })
    }
}

/// A page of the chain.
pub(super) fn page(conn: &Connection, query: &AuditQuery) -> Result<Vec<AuditEntry>, Failure> {
    let after = i64::try_from(query.after).unwrap_or(i64::MAX);
    let mut select = Select::new(
        "SELECT seq, id, at, number, subject_kind, subject_id, account, actor, kind, details, hash
         FROM audit WHERE seq > $1",
        after,
    );
    select.and("number = ?", query.number.map(sql_number));
    select.and("account = ?", query.account.as_ref().map(ToString::to_string));
    // In the words of the partial index, so that it is used.
    select.and("kind = 'refused' AND id = ?", query.refusal.map(|id| id.0.to_be_bytes().to_vec()));
    let before = query.before.map(|before| i64::try_from(before).unwrap_or(i64::MAX));
    select.and("seq < ?", before);
    let order = if before.is_some() { "seq DESC" } else { "seq" };
    select.page(conn, order, query.limit, read)
}

fn read(row: &Row<'_>) -> Result<AuditEntry, Failure> {
    let seq: i64 = row.get(0)?;
    let place = Place { table: "audit", id: &seq };
    let account: Option<String> = row.get(6)?;
    let event = Event {
        id: EventId(u128::from_be_bytes(row.get(1)?)),
        at: Timestamp::from_millis(row.get(2)?),
        subject: subject(row, place)?,
        account: account.map(|id| place.ok("account", TextId::parse(&id))).transpose()?,
        actor: row.get(7)?,
        kind: row.get(8)?,
        details: row.get(9)?,
    };
    Ok(AuditEntry { seq: seq.cast_unsigned(), event, hash: row.get(10)? })
}

fn subject(row: &Row<'_>, place: Place<'_>) -> Result<Subject, Failure> {
    if let Some(number) = row.get(3)? {
        return Ok(Subject::Number(phone_number("audit", number)?));
    }
    let entity: (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
    let (Some(word), Some(id)) = entity else { return Ok(Subject::System) };
    let kind: Result<EntityKind, BadRow> = place.ok("subject_kind", EntityKind::parse(&word));
    Ok(Subject::Entity(EntityRef::new(kind?, id)))
}
