//! A unit: taken apart on the caller's side, applied by the writer.

use rusqlite::Connection;
use service::ports::{Callback, Event, OnceKey, Take, Unit};

use super::audit::AuditHead;
use super::entities::EntityChange;
use super::failure::Failure;
use super::numbers::NumberChange;
use super::{allowances, callbacks, nonces, sends};
use crate::row::SendRow;

/// A unit as rows: all that costs time was done by the caller.
pub(super) struct UnitRows {
    entities: Vec<EntityChange>,
    numbers: Vec<NumberChange>,
    takes: Vec<Take>,
    once: Vec<OnceKey>,
    forgive: Vec<String>,
    events: Vec<Event>,
    sends: Vec<SendRow>,
    callbacks: Vec<Callback>,
}

impl UnitRows {
    /// Turns `unit` into rows. Reads the numbers it changes, so that the writer need not.
    pub(super) fn prepare(conn: &Connection, unit: Unit) -> Result<Self, Failure> {
        let numbers = unit.numbers.iter().map(|write| NumberChange::prepare(conn, write));
        Ok(Self {
            numbers: numbers.collect::<Result<_, _>>()?,
            entities: unit.entities.into_iter().map(EntityChange::prepare).collect(),
            takes: unit.takes,
            once: unit.once,
            forgive: unit.forgive,
            events: unit.events,
            sends: unit.sends.into_iter().map(SendRow::of).collect(),
            callbacks: unit.callbacks,
        })
    }

    /// Applies the unit; the caller rolls back to where it stood if this fails.
    pub(super) fn apply(&self, conn: &Connection, head: AuditHead) -> Result<AuditHead, Failure> {
        for entity in &self.entities {
            entity.apply(conn)?;
        }
        if self.numbers.len() > 1 {
            self.numbers.iter().try_for_each(|number| number.release(conn))?;
        }
        self.numbers.iter().try_for_each(|number| number.apply(conn))?;
        self.takes.iter().try_for_each(|take| allowances::take(conn, take))?;
        self.once.iter().try_for_each(|once| nonces::enter(conn, once))?;
        self.forgive.iter().try_for_each(|key| allowances::forgive(conn, key))?;
        self.sends.iter().try_for_each(|row| sends::enter(conn, row))?;
        self.callbacks.iter().try_for_each(|it| callbacks::enter(conn, it))?;
        self.events.iter().try_fold(head, |head, event| head.append(conn, event))
    }
}
