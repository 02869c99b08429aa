//! Numbers and the claims that find them.

use registration::{NumberRecord, PhoneNumber, WabaId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use service::ports::{
    ClaimMoment, ClaimQuery, LiveProofs, NumberCounts, NumberKey, NumberQuery, NumberWrite,
    Version, Versioned,
};

use super::failure::Failure;
use super::select::Select;
use crate::row::{ClaimChanges, NumberRow, Place, record_from_body};

/// A write, ready for the writer thread: rows, and only what changes in them.
pub(super) struct NumberChange {
    expected: Version,
    row: NumberRow,
    /// Whether a client runs the number so far.
    had_client: bool,
    /// Whether the columns of the registration change.
    moves: bool,
    claims: ClaimChanges,
}

impl NumberChange {
    /// Compares `write` with what is stored, on the caller's side; a lost race shows here already.
    pub(super) fn prepare(
        stored: Option<&Versioned<NumberRecord>>,
        write: &NumberWrite,
    ) -> Result<Self, Failure> {
        if stored.map_or(0, |it| it.version) != write.expected {
            return Err(Failure::Conflict);
        }
        let old = stored.map(|it| &it.value);
        let before = old.map(NumberRow::registered);
        Ok(Self {
            expected: write.expected,
            had_client: matches!(before, Some((Some(_), _))),
            moves: before != Some(NumberRow::registered(&write.record)),
            claims: ClaimChanges::between(old, &write.record),
            row: NumberRow::of(&write.record),
        })
    }

    /// Lets go of the client, so that numbers of one unit can swap clients in any order.
    pub(super) fn release(&self, conn: &Connection) -> Result<(), Failure> {
        if self.had_client && self.moves {
            conn.prepare_cached("UPDATE numbers SET registered_client = NULL WHERE number = $1")?
                .execute([sql_number(self.row.number)])?;
        }
        Ok(())
    }

    /// Stores the record if its version is still the expected one.
    pub(super) fn apply(&self, conn: &Connection) -> Result<(), Failure> {
        let number = sql_number(self.row.number);
        let version = sql_version(self.expected);
        let row = &self.row;
        let changed = if self.expected == 0 {
            conn.prepare_cached(
                "INSERT INTO numbers (number, version, registered_client, registered_waba, locked_since,
                                      body)
                 VALUES ($1, 1, $2, $3, $4, $5) ON CONFLICT (number) DO NOTHING",
            )?
            .execute(params![
                number,
                row.registered_client,
                row.registered_waba,
                row.locked_since,
                row.body
            ])?
        } else if self.moves {
            conn.prepare_cached(
                "UPDATE numbers SET version = version + 1, registered_client = $1,
                 registered_waba = $2, locked_since = $3, body = $4
                 WHERE number = $5 AND version = $6",
            )?
            .execute(params![
                row.registered_client,
                row.registered_waba,
                row.locked_since,
                row.body,
                number,
                version
            ])?
        } else {
            conn.prepare_cached(
                "UPDATE numbers SET version = version + 1, locked_since = $1, body = $2
                 WHERE number = $3 AND version = $4",
            )?
            .execute(params![row.locked_since, row.body, number, version])?
        };
        if changed == 0 {
            return Err(Failure::Conflict);
        }
        self.apply_claims(conn, number)
    }

    fn apply_claims(&self, conn: &Connection, number: i64) -> Result<(), Failure> {
        for id in &self.claims.gone {
            conn.prepare_cached("DELETE FROM claims WHERE id = $1")?.execute([id])?;
        }
        for it in &self.claims.added {
            conn.prepare_cached(
                "INSERT INTO claims (id, number, waba, pending_client, pending_since, proof_at,
                                     name_waits, added_at, onboarded_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            )?
            .execute(params![
                it.id,
                number,
                it.waba,
                it.pending_client,
                it.pending_since,
                it.proof_at,
                it.name_waits,
                it.added_at,
                it.onboarded_at
            ])?;
        }
        for it in &self.claims.moved {
            conn.prepare_cached(
                "UPDATE claims SET pending_client = $1, pending_since = $2, proof_at = $3,
                 name_waits = $4, onboarded_at = $5 WHERE id = $6",
            )?
            .execute(params![
                it.pending_client,
                it.pending_since,
                it.proof_at,
                it.name_waits,
                it.onboarded_at,
                it.id
            ])?;
        }
        Ok(())
    }
}

/// The record of `number`.
pub(super) fn load(
    conn: &Connection,
    number: PhoneNumber,
) -> Result<Option<Versioned<NumberRecord>>, Failure> {
    let mut statement =
        conn.prepare_cached("SELECT version, body FROM numbers WHERE number = $1")?;
    let mut rows = statement.query([sql_number(number)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let version = row.get::<_, i64>(0)?.cast_unsigned();
    let value = record_from_body(number, row.get_ref(1)?.as_str().map_err(not_text)?)?;
    Ok(Some(Versioned { version, value }))
}

/// The number that `key` leads to.
pub(super) fn find(conn: &Connection, key: &NumberKey) -> Result<Option<PhoneNumber>, Failure> {
    let (sql, id) = match key {
        NumberKey::HeldBy(client) => {
            ("SELECT number FROM numbers WHERE registered_client = $1", client.to_string())
        }
        NumberKey::PendingFor(client) => (
            "SELECT number FROM claims WHERE pending_client = $1
             ORDER BY pending_since DESC, number DESC LIMIT 1",
            client.to_string(),
        ),
        NumberKey::PendingIn(waba) => (
            "SELECT number FROM claims
             WHERE waba = $1 AND pending_client IS NULL AND pending_since IS NOT NULL
             ORDER BY pending_since DESC, number DESC LIMIT 1",
            waba.to_string(),
        ),
        NumberKey::Claim(id) => ("SELECT number FROM claims WHERE id = $1", id.to_string()),
    };
    let mut statement = conn.prepare_cached(sql)?;
    let number: Option<i64> = statement.query_row([id], |row| row.get(0)).optional()?;
    number.map(|it| phone_number("numbers", it)).transpose()
}

/// Whether any code is awaited that was requested without a client.
pub(super) fn any_hosted(conn: &Connection) -> Result<bool, Failure> {
    // In the words of the partial index, which is empty then.
    let mut statement = conn.prepare_cached(
        "SELECT 1 FROM claims WHERE pending_client IS NULL AND pending_since IS NOT NULL LIMIT 1",
    )?;
    Ok(statement.exists([])?)
}

/// A page of records.
pub(super) fn page(conn: &Connection, query: &NumberQuery) -> Result<Vec<NumberRecord>, Failure> {
    let after = query.after.map_or(0, |it| sql_number(it).saturating_add(1));
    let mut page = Vec::new();
    if query.wabas.as_ref().is_some_and(Vec::is_empty) {
        return Ok(page);
    }
    for (low, high) in ranges(query.prefix.as_deref().unwrap_or_default()) {
        let missing = query.limit.saturating_sub(page.len());
        if missing > 0 && after <= high {
            page.extend(range(conn, query, low.max(after), high, missing)?);
        }
    }
    Ok(page)
}

/// A page of a WABA's numbers by a moment of its claims: the claims are sorted, the records of the page read.
pub(super) fn claimed(conn: &Connection, query: &ClaimQuery) -> Result<Vec<NumberRecord>, Failure> {
    let moment = match query.by {
        ClaimMoment::Added => "added_at",
        ClaimMoment::Onboarded => "onboarded_at",
    };
    let (sign, order) = if query.ascending { (">", "ASC") } else { ("<", "DESC") };
    let mut select = Select::new(
        "SELECT number FROM claims WHERE waba_kind = 'waba' AND waba = $1",
        query.waba.to_string(),
    );
    if let Some((at, id)) = &query.behind {
        select.and(&format!("{moment} {sign}= ?"), Some(at.as_millis()));
        let same = format!("({moment} {sign} {} OR id {sign} ?)", at.as_millis());
        select.and(&same, Some(id.clone()));
    }
    let order = format!("{moment} {order}, id {order}");
    let numbers = select
        .page(conn, &order, query.limit, |row: &Row<'_>| phone_number("claims", row.get(0)?))?;
    let mut records = Vec::with_capacity(numbers.len());
    for number in numbers {
        // One connection sees one state, so that there is a record for each claim.
        records.extend(load(conn, number)?.map(|found| found.value));
    }
    Ok(records)
}

/// How many numbers a WABA claims: a walk along an index.
pub(super) fn claim_count(conn: &Connection, waba: &WabaId) -> Result<u64, Failure> {
    let sql = "SELECT count(*) FROM claims WHERE waba_kind = 'waba' AND waba = $1";
    let found: i64 = conn.prepare_cached(sql)?.query_row([waba.to_string()], |row| row.get(0))?;
    Ok(found.cast_unsigned())
}

/// How many numbers there are, to the last one: a walk along the table and some along indexes; no record is
/// decoded.
pub(super) fn counts(conn: &Connection, live: LiveProofs) -> Result<NumberCounts, Failure> {
    let count = |sql: &str| -> Result<u64, Failure> {
        let found: i64 = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(found.cast_unsigned())
    };
    // What a number awaits counts only where nothing of it is verified.
    let (verified, awaiting_code) = conn
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE verified), count(*) FILTER (WHERE NOT verified) FROM (
                 SELECT max(pending_since IS NULL) AS verified
                 FROM claims INDEXED BY claims_proofs CROSS JOIN numbers USING (number)
                 WHERE proof_at IS NOT NULL AND proof_at > min($1, $2)
                   AND proof_at > CASE WHEN pending_since IS NULL THEN $1 ELSE $2 END
                   AND registered_waba IS NULL
                 GROUP BY number)",
        )?
        .query_row([live.verified_after.as_millis(), live.codes_after.as_millis()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })?;
    Ok(NumberCounts {
        known: count("SELECT count(*) FROM numbers")?,
        registered: count("SELECT count(*) FROM numbers WHERE registered_waba IS NOT NULL")?,
        verified: verified.cast_unsigned(),
        awaiting_code: awaiting_code.cast_unsigned(),
        locked: count("SELECT count(*) FROM numbers WHERE locked_since IS NOT NULL")?,
    })
}

fn range(
    conn: &Connection,
    query: &NumberQuery,
    low: i64,
    high: i64,
    limit: usize,
) -> Result<Vec<NumberRecord>, Failure> {
    let mut select = Select::new("SELECT number, body FROM numbers WHERE number >= $1", low);
    select.and("number <= ?", Some(high));
    match query.registered {
        Some(true) => select.and_that("registered_waba IS NOT NULL"),
        Some(false) => select.and_that("registered_waba IS NULL"),
        None => {}
    }
    if query.name_waits {
        select.and_that("number IN (SELECT number FROM claims WHERE name_waits)");
    }
    if let Some(wabas) = &query.wabas {
        select.and_in(
            "number IN (SELECT number FROM claims
             WHERE waba_kind = 'waba' AND waba IN (?) AND number >= $1)",
            wabas.iter().map(ToString::to_string),
        );
    }
    select.page(conn, "number", limit, |row: &Row<'_>| {
        let number = phone_number("numbers", row.get(0)?)?;
        Ok(record_from_body(number, row.get_ref(1)?.as_str().map_err(not_text)?)?)
    })
}

/// The ranges of integers whose digits start with `prefix`, ascending: one per length of the number.
fn ranges(prefix: &str) -> Vec<(i64, i64)> {
    if prefix.is_empty() {
        return vec![(0, i64::MAX)];
    }
    let is_start = prefix.bytes().all(|b| b.is_ascii_digit()) && !prefix.starts_with('0');
    let Some(free) = PhoneNumber::DIGITS_MAX.checked_sub(prefix.len()).filter(|_| is_start) else {
        return Vec::new();
    };
    let Ok(head) = prefix.parse::<i64>() else { return Vec::new() };
    let powers = std::iter::successors(Some(1_i64), |power| Some(power.saturating_mul(10)));
    powers.take(free + 1).map(|power| (head * power, (head + 1) * power - 1)).collect()
}

/// A number as the column holds it: at most 15 digits, so it always fits.
pub(super) fn sql_number(number: PhoneNumber) -> i64 {
    number.as_u64().cast_signed()
}

/// The number in a column of `table`.
pub(super) fn phone_number(table: &'static str, value: i64) -> Result<PhoneNumber, Failure> {
    let digits = value.to_string();
    let place = Place { table, id: &"a row" };
    Ok(place.ok("number", PhoneNumber::parse(&digits).ok())?)
}

pub(super) fn sql_version(version: Version) -> i64 {
    version.cast_signed()
}

pub(super) fn not_text(error: rusqlite::types::FromSqlError) -> Failure {
    Failure::Sql(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_range_for_each_length() {
        assert_eq!(ranges(""), [(0, i64::MAX)]);
        assert_eq!(ranges("123456789012345"), [(123_456_789_012_345, 123_456_789_012_345)]);
        let ranges_49 = ranges("49");
        assert_eq!(ranges_49.len(), 14);
        assert_eq!(ranges_49[5], (4_900_000, 4_999_999));
        for nothing in ["0", "+49", "4x", "1234567890123456"] {
            assert_eq!(ranges(nothing), [], "{nothing}");
        }
    }
}
