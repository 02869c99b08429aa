//! The outbox of callbacks in memory.

use std::collections::{BTreeMap, BTreeSet};

use registration::Timestamp;

use crate::ports::{
    CALLBACKS_KEPT, Callback, CallbackId, CallbackQuery, CallbackReport, CallbackState,
};

#[derive(Debug, Default, Clone)]
pub(super) struct Callbacks(BTreeMap<CallbackId, Callback>);

impl Callbacks {
    /// Ids are used once, in the store and in the unit.
    pub(super) fn are_fresh(&self, new: &[Callback]) -> bool {
        let ids: BTreeSet<_> = new.iter().map(|it| it.id).collect();
        ids.len() == new.len() && !ids.iter().any(|id| self.0.contains_key(id))
    }

    pub(super) fn enter(&mut self, new: Vec<Callback>) {
        self.0.extend(new.into_iter().map(|it| (it.id, it)));
    }

    pub(super) fn claim(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Vec<Callback> {
        let open = |it: &Callback| match it.state {
            CallbackState::Due { at } | CallbackState::Claimed { until: at } => Some(at),
            CallbackState::Delivered { .. } | CallbackState::Failed { .. } => None,
        };
        let mut due: Vec<(Timestamp, &mut Callback)> = self
            .0
            .values_mut()
            .filter_map(|it| Some((open(it)?, it)))
            .filter(|(at, _)| *at <= now)
            .collect();
        due.sort_by_key(|(at, it)| (*at, it.id));
        let lease = |(_, it): (Timestamp, &mut Callback)| {
            it.state = CallbackState::Claimed { until };
            it.attempt = it.attempt.saturating_add(1);
            it.clone()
        };
        due.into_iter().take(limit).map(lease).collect()
    }

    pub(super) fn report(&mut self, reports: Vec<CallbackReport>) {
        for report in reports {
            let Some(it) = self.0.get_mut(&report.id) else { continue };
            if matches!(it.state, CallbackState::Due { .. } | CallbackState::Claimed { .. }) {
                it.state = report.state;
                it.note = report.note;
            }
        }
    }

    pub(super) fn page(&self, query: &CallbackQuery) -> Vec<Callback> {
        let wanted = |it: &&Callback| {
            query.account.as_ref().is_none_or(|account| *account == it.account)
                && query.webhook.as_ref().is_none_or(|webhook| *webhook == it.webhook)
                && query.before.is_none_or(|before| it.id < before)
        };
        self.0.values().rev().filter(wanted).take(query.limit).cloned().collect()
    }

    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.0.retain(|_, it| match it.state {
            CallbackState::Delivered { at } | CallbackState::Failed { at } => {
                at + CALLBACKS_KEPT > now
            }
            CallbackState::Due { .. } | CallbackState::Claimed { .. } => true,
        });
    }
}
