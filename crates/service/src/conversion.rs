//! Which ranges of numbers get no codes because nobody uses them, and how senders do.
//!
//! Fraud that pumps traffic to a network ("artificially inflated traffic") asks for codes and never uses
//! one. The ledger knows which codes were used; it is read now and then, so that requests pay nothing
//! for the question. A range that is stopped orders nothing, so what stopped it grows old, and after
//! `window` it is tried again: the stop ends by itself.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::PoisonError;

use registration::{PhoneNumber, Timestamp};

use crate::error::ServiceError;
use crate::ports::{Send, SendId, SendQuery, Spend, Unit};
use crate::service::Service;
use crate::spending::Conversion;

/// Sends read at once.
const PAGE: usize = 500;

/// Sends looked at in all: the newest of a busy installation.
const SENDS_MAX: usize = 5_000;

/// What senders are judged by where no rule about ranges is set.
const SENDERS_ONLY: Conversion =
    Conversion { percent: 0, of: u32::MAX, window: Duration::from_hours(24), digits: 0 };

/// Budgets of this name remember which ranges an operator opened again.
const RESET: &str = "conversion-reset/";

/// A range of numbers as the rule about used codes sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// How its numbers begin.
    pub prefix: String,
    /// Codes that count.
    pub sent: u32,
    /// How many of them were used.
    pub used: u32,
    /// Until when it is stopped.
    pub stopped_until: Option<Timestamp>,
}

impl Service {
    /// Reads the ledger and stops the ranges whose codes nobody uses.
    pub async fn measure_conversion(&self) -> Result<(), ServiceError> {
        let rule = self.policy().spending.conversion;
        let now = self.now();
        let sends = self.judged_sends(&rule.unwrap_or(SENDERS_ONLY), now).await?;
        self.tallies.set_conversion(&sends);
        let Some(rule) = rule else {
            self.set_ranges(Vec::new());
            return Ok(());
        };
        let mut resets = BTreeMap::new();
        for it in self.store.budgets(RESET).await? {
            resets.insert(it.key[RESET.len()..].to_owned(), reset_at(it.spent));
        }
        self.set_ranges(ranges(&sends, &resets, &rule));
        Ok(())
    }

    /// The ranges as last measured, the stopped ones first.
    #[must_use]
    pub fn ranges(&self) -> Vec<Range> {
        let mut ranges = self.ranges.read().unwrap_or_else(PoisonError::into_inner).clone();
        ranges.sort_by(|a, b| {
            let stopped = |it: &Range| it.stopped_until.is_none();
            stopped(a).cmp(&stopped(b)).then_with(|| a.prefix.cmp(&b.prefix))
        });
        ranges
    }

    /// Opens a range again: codes sent before this moment count no more.
    pub async fn reset_range(&self, prefix: &str) -> Result<(), ServiceError> {
        let Some(rule) = self.policy().spending.conversion else { return Ok(()) };
        let now = self.now();
        let at = u64::try_from(now.as_millis()).unwrap_or(0);
        let key = format!("{RESET}{prefix}");
        // A budget adds up, so the moment goes in as the difference to the one before.
        let before = self.store.budgets(&key).await?;
        let before = before.iter().find(|it| it.key == key).map_or(0, |it| it.spent);
        let spend = Spend {
            key,
            amount: at.saturating_sub(before),
            limit: u64::MAX,
            resets_at: now + rule.window,
            enforced: true,
        };
        self.commit(Unit { spends: vec![spend], ..Unit::default() }).await?;
        self.measure_conversion().await
    }

    /// Until when the range of `number` is stopped, if it is.
    pub(crate) fn stopped(
        &self,
        rule: &Conversion,
        number: PhoneNumber,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let prefix = prefix(number, rule);
        let ranges = self.ranges.read().unwrap_or_else(PoisonError::into_inner);
        let found = ranges.iter().find(|it| it.prefix == prefix)?;
        found.stopped_until.filter(|until| *until > now)
    }

    fn set_ranges(&self, measured: Vec<Range>) {
        *self.ranges.write().unwrap_or_else(PoisonError::into_inner) = measured;
    }

    /// The sends of the last `window` that can be judged, newest first.
    async fn judged_sends(
        &self,
        rule: &Conversion,
        now: Timestamp,
    ) -> Result<Vec<Send>, ServiceError> {
        let mut judged: Vec<Send> = Vec::new();
        let mut query = SendQuery { limit: PAGE, ..SendQuery::default() };
        for _ in 0..SENDS_MAX / PAGE {
            let page = self.store.sends(&query).await?;
            let recent = page.iter().take_while(|it| now.since(it.decided_at) < rule.window);
            let recent: Vec<Send> = recent.cloned().collect();
            let whole = recent.len() == PAGE;
            query.before = recent.last().map(|it: &Send| it.id).or(Some(SendId(0)));
            judged.extend(recent.into_iter().filter(|it| {
                let known = it.confirmed_at.is_some() || now >= it.what.useless_after;
                known && it.handed_over_at.is_some()
            }));
            if !whole {
                break;
            }
        }
        Ok(judged)
    }
}

/// Judges each range by its newest `of` sends; `sends` come newest first.
fn ranges(sends: &[Send], resets: &BTreeMap<String, Timestamp>, rule: &Conversion) -> Vec<Range> {
    let mut by_prefix: BTreeMap<String, Vec<&Send>> = BTreeMap::new();
    for send in sends {
        let prefix = prefix(send.number, rule);
        let forgiven = resets.get(&prefix).is_some_and(|at| send.decided_at <= *at);
        let of_range = by_prefix.entry(prefix).or_default();
        if !forgiven && of_range.len() < rule.of as usize {
            of_range.push(send);
        }
    }
    let judge = |(prefix, sends): (String, Vec<&Send>)| {
        let sent = u32::try_from(sends.len()).unwrap_or(u32::MAX);
        let used = sends.iter().filter(|it| it.confirmed_at.is_some()).count();
        let used = u32::try_from(used).unwrap_or(u32::MAX);
        let low = u64::from(used) * 100 < u64::from(rule.percent) * u64::from(sent);
        // Until the oldest of them is forgotten: then fewer than `of` are left, which prove nothing.
        let oldest = sends.last().map(|it| it.decided_at + rule.window);
        let stopped_until = oldest.filter(|_| sent >= rule.of && low);
        Range { prefix, sent, used, stopped_until }
    };
    by_prefix.into_iter().map(judge).collect()
}

fn prefix(number: PhoneNumber, rule: &Conversion) -> String {
    let mut digits = number.digits();
    digits.truncate(rule.digits);
    digits
}

fn reset_at(spent: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(spent).unwrap_or(i64::MAX))
}
