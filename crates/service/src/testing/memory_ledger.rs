//! The ledger of sends and its budgets in memory.

use std::collections::{BTreeMap, BTreeSet};

use registration::Timestamp;

use crate::ports::{
    Budget, CommitError, Confirmed, Receipt, ReceiptOutcome, Send, SendId, SendQuery, SendReport,
    SendState, Spend,
};

#[derive(Debug, Default, Clone)]
pub(super) struct Ledger {
    sends: BTreeMap<SendId, Send>,
    budgets: BTreeMap<String, Budget>,
}

impl Ledger {
    /// Ids are used once, in the store and in the unit.
    pub(super) fn are_fresh(&self, new: &[Send]) -> bool {
        let ids: BTreeSet<_> = new.iter().map(|it| it.id).collect();
        ids.len() == new.len() && !ids.iter().any(|id| self.sends.contains_key(id))
    }

    pub(super) fn enter(&mut self, new: Vec<Send>) {
        self.sends.extend(new.into_iter().map(|it| (it.id, it)));
    }

    /// Takes all of it, or nothing.
    pub(super) fn spend(&mut self, spends: &[Spend]) -> Result<(), CommitError> {
        let mut drawn: BTreeMap<&str, Budget> = BTreeMap::new();
        for spend in spends {
            let key = spend.key.as_str();
            let after = spend.draw(drawn.get(key).or_else(|| self.budgets.get(key)));
            let overspent =
                || CommitError::Overspent { key: spend.key.clone(), resets_at: spend.resets_at };
            drawn.insert(key, after.ok_or_else(overspent)?);
        }
        self.budgets.extend(drawn.into_iter().map(|(key, it)| (key.to_owned(), it)));
        Ok(())
    }

    pub(super) fn budgets(&self, prefix: &str) -> Vec<Budget> {
        self.budgets.values().filter(|it| it.key.starts_with(prefix)).cloned().collect()
    }

    pub(super) fn sweep(&mut self, now: Timestamp) {
        self.budgets.retain(|_, it| it.resets_at > now);
    }

    pub(super) fn confirm(&mut self, confirmed: &[Confirmed]) {
        for Confirmed { number, challenge, at } in confirmed {
            for send in self.sends.values_mut() {
                if send.number == *number && send.what.challenge == *challenge {
                    send.confirmed_at = send.confirmed_at.or(Some(*at));
                }
            }
        }
    }

    pub(super) fn claim(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        begun: bool,
        limit: usize,
    ) -> Vec<Send> {
        let mut due: Vec<(Timestamp, &mut Send)> = self
            .sends
            .values_mut()
            .filter_map(|send| Some((open_at(&send.state)?, send)))
            .filter(|(at, _)| *at <= now)
            .collect();
        due.sort_by_key(|(at, send)| (*at, send.id));
        let lease = |(_, send): (Timestamp, &mut Send)| {
            send.in_doubt |= matches!(send.state, SendState::Claimed { begun: true, .. });
            send.state = SendState::Claimed { until, begun };
            send.attempt = send.attempt.saturating_add(1);
            send.clone()
        };
        due.into_iter().take(limit).map(lease).collect()
    }

    pub(super) fn begin(&mut self, id: SendId, until: Timestamp) -> bool {
        let Some(send) = self.sends.get_mut(&id) else { return false };
        let stands = send.state == SendState::Claimed { until, begun: false };
        if stands {
            send.state = SendState::Claimed { until, begun: true };
        }
        stands
    }

    pub(super) fn report(&mut self, reports: Vec<SendReport>) {
        for report in reports {
            let Some(send) = self.sends.get_mut(&report.id) else { continue };
            let moves = report.moves(&send.state, send.handed_over_at.is_some());
            send.tries.extend(report.tries);
            send.in_doubt |= report.in_doubt;
            if !moves {
                continue;
            }
            if let SendState::HandedOver { at } = report.state {
                send.handed_over_at = Some(at);
            }
            send.state = report.state;
            send.sender = report.sender.or_else(|| send.sender.take());
            send.provider_id = report.provider_id.or_else(|| send.provider_id.take());
            let Some(settled) = report.settled else { continue };
            let before = core::mem::replace(&mut send.charged, settled.charged);
            for key in &settled.budgets {
                if let Some(budget) = self.budgets.get_mut(key) {
                    budget.spent = (budget.spent + settled.charged).saturating_sub(before);
                }
            }
        }
    }

    pub(super) fn receive(&mut self, receipts: Vec<Receipt>) -> Vec<bool> {
        let mut known = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            let id = Some(receipt.provider_id.as_str());
            let mut newest_first = self.sends.values_mut().rev();
            let found = newest_first.find(|it| {
                it.sender.as_deref() == Some(&*receipt.sender) && it.provider_id.as_deref() == id
            });
            known.push(found.is_some());
            let Some(send) = found else { continue };
            if matches!(send.state, SendState::HandedOver { .. }) {
                let at = receipt.at;
                send.state = match receipt.outcome {
                    ReceiptOutcome::Delivered => SendState::Delivered { at },
                    ReceiptOutcome::Failed { reason } => SendState::Failed { at, reason },
                };
            }
        }
        known
    }

    pub(super) fn page(&self, query: &SendQuery) -> Vec<Send> {
        let all = self.sends.values().rev().filter(|send| {
            query.number.is_none_or(|number| number == send.number)
                && query.account.as_ref().is_none_or(|account| *account == send.account)
                && (query.sender.is_none() || query.sender == send.sender)
                && query.id.is_none_or(|id| id == send.id)
                && query.after.is_none_or(|after| send.id > after)
                && query.before.is_none_or(|before| send.id < before)
        });
        all.take(query.limit).cloned().collect()
    }
}

/// From when on a worker may take a send in this state.
fn open_at(state: &SendState) -> Option<Timestamp> {
    match state {
        SendState::Decided { due_at: at } | SendState::Claimed { until: at, .. } => Some(*at),
        SendState::HandedOver { .. } | SendState::Delivered { .. } | SendState::Failed { .. } => {
            None
        }
    }
}
