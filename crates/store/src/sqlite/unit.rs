//! A unit: taken apart on the caller's side, applied by the writer.

use rusqlite::Connection;
use service::ports::{Callback, Confirmed, Event, OnceKey, Spend, Take, Unit, Versioned};

use super::audit::AuditHead;
use super::entities::EntityChange;
use super::failure::Failure;
use super::numbers::{self, NumberChange};
use super::readers::Readers;
use super::recent::{Recent, Touched};
use super::{allowances, budgets, callbacks, nonces, sends};
use crate::row::SendRow;

/// A unit as rows: all that costs time was done by the caller.
pub(super) struct UnitRows {
    entities: Vec<EntityChange>,
    numbers: Vec<NumberChange>,
    takes: Vec<Take>,
    once: Vec<OnceKey>,
    spends: Vec<Spend>,
    confirmed: Vec<Confirmed>,
    forgive: Vec<String>,
    events: Vec<Event>,
    sends: Vec<SendRow>,
    callbacks: Vec<Callback>,
}

impl UnitRows {
    /// Turns `unit` into rows. Reads the numbers it changes, so that the writer need not. The second
    /// part is what changes in memory once the rows are on disk.
    pub(super) fn prepare(
        readers: &Readers,
        recent: &Recent,
        unit: Unit,
    ) -> Result<(Self, Touched), Failure> {
        let mut touched = Touched::default();
        let mut changes = Vec::with_capacity(unit.numbers.len());
        for write in unit.numbers {
            // Whether a new number is new, the statement itself will see.
            let number = write.record.number;
            let stored = match write.expected {
                0 => None,
                _ => recent.number(number, || readers.with(|conn| numbers::load(conn, number)))?,
            };
            let old = stored.as_ref();
            changes.push(NumberChange::prepare(old, &write)?);
            let new = Versioned { version: write.expected + 1, value: write.record };
            touched.number(old.map(|it| &it.value), new);
        }
        unit.entities.iter().for_each(|write| touched.entity(write));
        let rows = Self {
            numbers: changes,
            entities: unit.entities.into_iter().map(EntityChange::prepare).collect(),
            takes: unit.takes,
            once: unit.once,
            spends: unit.spends,
            confirmed: unit.confirmed,
            forgive: unit.forgive,
            events: unit.events,
            sends: unit.sends.into_iter().map(SendRow::of).collect(),
            callbacks: unit.callbacks,
        };
        Ok((rows, touched))
    }

    /// Applies the unit; the caller rolls back to where it stood if this fails.
    pub(super) fn apply(&self, conn: &Connection, head: AuditHead) -> Result<AuditHead, Failure> {
        // What may well say no comes first: a unit that fails before it wrote costs its neighbours nothing.
        self.once.iter().try_for_each(|once| nonces::enter(conn, once))?;
        self.takes.iter().try_for_each(|take| allowances::take(conn, take))?;
        self.spends.iter().try_for_each(|spend| budgets::spend(conn, spend))?;
        self.entities.iter().try_for_each(|entity| entity.apply(conn))?;
        if self.numbers.len() > 1 {
            self.numbers.iter().try_for_each(|number| number.release(conn))?;
        }
        self.numbers.iter().try_for_each(|number| number.apply(conn))?;
        self.confirmed.iter().try_for_each(|it| sends::confirm(conn, it))?;
        self.forgive.iter().try_for_each(|key| allowances::forgive(conn, key))?;
        self.sends.iter().try_for_each(|row| sends::enter(conn, row))?;
        self.callbacks.iter().try_for_each(|it| callbacks::enter(conn, it))?;
        self.events.iter().try_fold(head, |head, event| head.append(conn, event))
    }
}
