//! The directory.

use rusqlite::{Connection, Row, params};
use service::ports::{Entity, EntityKind, EntityRef, EntityWrite, Version, Versioned};

use super::failure::Failure;
use super::numbers::{not_text, sql_version};
use super::select::Select;
use crate::row::{EntityRow, Place, entity_from_row};

const COLUMNS: &str = "SELECT kind, id, version, body, content FROM entities";

/// A write, ready for the writer thread.
pub(super) enum EntityChange {
    Put { expected: Version, row: EntityRow },
    Delete { expected: Version, key: EntityRef },
}

impl EntityChange {
    /// Takes the write apart into a row, on the caller's side.
    pub(super) fn prepare(write: EntityWrite) -> Self {
        match write {
            EntityWrite::Put { expected, entity } => {
                Self::Put { expected, row: EntityRow::of(entity) }
            }
            EntityWrite::Delete { expected, entity } => Self::Delete { expected, key: entity },
        }
    }

    /// Makes the change if the stored version is the expected one.
    pub(super) fn apply(&self, conn: &Connection) -> Result<(), Failure> {
        let changed = match self {
            Self::Put { expected: 0, row } => insert(conn, row)?,
            Self::Put { expected, row } => update(conn, *expected, row)?,
            Self::Delete { expected, key } => conn
                .prepare_cached(
                    "DELETE FROM entities WHERE kind = $1 AND id = $2 AND version = $3",
                )?
                .execute(params![key.kind.as_str(), key.id, sql_version(*expected)])?,
        };
        if changed == 0 { Err(Failure::Conflict) } else { Ok(()) }
    }
}

fn insert(conn: &Connection, row: &EntityRow) -> rusqlite::Result<usize> {
    let (parent_kind, parent_id) = parent_columns(row);
    conn.prepare_cached(
        "INSERT INTO entities
         (kind, id, version, parent_kind, parent_id, lookup, expires_at, body, content)
         VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8) ON CONFLICT (kind, id) DO NOTHING",
    )?
    .execute(params![
        row.key.kind.as_str(),
        row.key.id,
        parent_kind,
        parent_id,
        row.lookup,
        row.expires_at,
        row.body,
        row.content,
    ])
}

fn update(conn: &Connection, expected: Version, row: &EntityRow) -> rusqlite::Result<usize> {
    let (parent_kind, parent_id) = parent_columns(row);
    conn.prepare_cached(
        "UPDATE entities SET version = version + 1, parent_kind = $1, parent_id = $2, lookup = $3,
         expires_at = $4, body = $5, content = $6 WHERE kind = $7 AND id = $8 AND version = $9",
    )?
    .execute(params![
        parent_kind,
        parent_id,
        row.lookup,
        row.expires_at,
        row.body,
        row.content,
        row.key.kind.as_str(),
        row.key.id,
        sql_version(expected),
    ])
}

fn parent_columns(row: &EntityRow) -> (Option<&'static str>, Option<&str>) {
    (row.parent.as_ref().map(|it| it.kind.as_str()), row.parent.as_ref().map(|it| it.id.as_str()))
}

/// The entity named `key`.
pub(super) fn load(
    conn: &Connection,
    key: &EntityRef,
) -> Result<Option<Versioned<Entity>>, Failure> {
    let mut statement = conn.prepare_cached(
        "SELECT kind, id, version, body, content FROM entities WHERE kind = $1 AND id = $2",
    )?;
    let mut rows = statement.query([key.kind.as_str(), &key.id])?;
    rows.next()?.map(read).transpose()
}

/// The entity of `kind` with this second name.
pub(super) fn by_lookup(
    conn: &Connection,
    kind: EntityKind,
    lookup: &str,
) -> Result<Option<Versioned<Entity>>, Failure> {
    let mut select = Select::new(&format!("{COLUMNS} WHERE kind = $1"), kind.as_str().to_owned());
    select.and("lookup = ?", Some(lookup.to_owned()));
    Ok(select.page(conn, "id", 1, read)?.pop())
}

/// Whether parts of this kind carry content that can be large: pictures, kept replies.
pub(super) const fn may_be_large(kind: EntityKind) -> bool {
    matches!(kind, EntityKind::Document | EntityKind::ClaimDocument | EntityKind::Reply)
}

/// A page of entities of one kind, in order of their ids.
pub(super) fn page(
    conn: &Connection,
    kind: EntityKind,
    parent: Option<&EntityRef>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Versioned<Entity>>, Failure> {
    let mut select = Select::new(&format!("{COLUMNS} WHERE kind = $1"), kind.as_str().to_owned());
    select.and("parent_kind = ?", parent.map(|it| it.kind.as_str().to_owned()));
    select.and("parent_id = ?", parent.map(|it| it.id.clone()));
    select.and("id > ?", after.map(str::to_owned));
    select.page(conn, "id", limit, read)
}

/// Removes up to `limit` entities that have expired, with what is below them; returns how many.
pub(super) fn sweep(conn: &Connection, now_ms: i64, limit: usize) -> Result<usize, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(conn
        .prepare_cached(
            "DELETE FROM entities WHERE (kind, id) IN
             (SELECT kind, id FROM entities WHERE expires_at <= $1 LIMIT $2)",
        )?
        .execute([now_ms, limit])?)
}

/// The entity of a row with these columns.
pub(super) fn read(row: &Row<'_>) -> Result<Versioned<Entity>, Failure> {
    let (word, id): (String, String) = (row.get(0)?, row.get(1)?);
    let place = Place { table: "entities", id: &id };
    let kind = place.ok("kind", EntityKind::parse(&word))?;
    let body = row.get_ref(3)?.as_str().map_err(not_text)?;
    let content: Option<Vec<u8>> = row.get(4)?;
    let version = row.get::<_, i64>(2)?.cast_unsigned();
    Ok(Versioned { version, value: entity_from_row(&EntityRef::new(kind, &id), body, content)? })
}
