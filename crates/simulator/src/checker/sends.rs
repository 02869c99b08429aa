//! I5: each decided send is handed over, and never again once that is acknowledged.

use std::collections::BTreeMap;

use registration::PhoneNumber;
use service::keys::KeyRing;
use service::ports::{Send, SendId, SendReport, SendState};

use super::{Verdict, ensure};
use crate::journal::Fate;

/// A send as the outside world sees it.
#[derive(Debug)]
struct Sent {
    send: Send,
    /// Every answer of the provider.
    fates: Vec<Fate>,
    /// The provider acknowledged it, and nothing happened since that asks for a repetition.
    settled: bool,
    /// Its end, as reported to the store.
    end: Option<SendState>,
}

/// All sends.
#[derive(Debug, Default)]
pub(super) struct Sends(BTreeMap<SendId, Sent>);

impl Sends {
    pub(super) fn decided(&mut self, send: Send) {
        let sent = Sent { send, fates: Vec::new(), settled: false, end: None };
        self.0.insert(sent.send.id, sent);
    }

    pub(super) fn message(
        &self,
        keys: &KeyRing,
        id: SendId,
        number: PhoneNumber,
        code: &str,
    ) -> Verdict {
        let Some(sent) = self.0.get(&id) else {
            return ensure(false, "I6", || format!("{id} was never decided"));
        };
        let what = &sent.send.what;
        let right = keys.code(what.key_epoch, sent.send.number, &what.claim, what.challenge);
        ensure(number == sent.send.number, "I5", || format!("{id} went to another number"))?;
        ensure(right.is_some_and(|right| right.reveal() == code), "I5", || {
            format!("{id} carried another code")
        })?;
        ensure(sent.end.is_none(), "I5", || {
            format!("{id} was handed over again after {:?} was recorded", sent.end)
        })?;
        ensure(!sent.settled, "I5", || {
            format!("{id} was handed over again after the provider acknowledged it")
        })
    }

    pub(super) fn fate(&mut self, id: SendId, fate: Fate) {
        if let Some(sent) = self.0.get_mut(&id) {
            sent.fates.push(fate);
            sent.settled |= fate == Fate::Acknowledged;
        }
    }

    pub(super) fn reports(&mut self, reports: &[SendReport]) -> Verdict {
        for report in reports {
            let Some(sent) = self.0.get_mut(&report.id) else { continue };
            if sent.end.is_some() {
                continue;
            }
            let met = |fate| sent.fates.contains(&fate);
            let (earned, ends) = match &report.state {
                SendState::Decided { .. } | SendState::Claimed { .. } => (true, false),
                SendState::HandedOver { .. } => (met(Fate::Acknowledged), true),
                SendState::Delivered { .. } => (false, true),
                SendState::Failed { at, .. } => {
                    (met(Fate::Rejected) || *at >= sent.send.what.useless_after, true)
                }
            };
            ensure(earned, "I5", || {
                format!("{} ended as {:?} without a reason", report.id, report.state)
            })?;
            sent.end = ends.then(|| report.state.clone());
        }
        Ok(())
    }

    /// From here on whoever was acknowledged but not recorded may be handed over again.
    pub(super) fn doubt_leases(&mut self) {
        self.0.values_mut().for_each(|sent| sent.settled = false);
    }

    pub(super) fn open(&self) -> Vec<SendId> {
        self.0.values().filter(|sent| sent.end.is_none()).map(|sent| sent.send.id).collect()
    }

    pub(super) fn all_done(&self) -> Verdict {
        let open = self.open();
        ensure(open.is_empty(), "I5", || format!("{open:?} were decided and never handed over"))
    }

    /// The ledger holds exactly these sends, each with its end.
    pub(super) fn compare(&self, ledger: &[Send]) -> Verdict {
        ensure(ledger.len() == self.0.len(), "I4", || {
            format!("{} sends were decided, {} are in the ledger", self.0.len(), ledger.len())
        })?;
        for send in ledger {
            let sent = self.0.get(&send.id);
            let same = sent.is_some_and(|sent| {
                sent.send.what == send.what && sent.end.as_ref().is_none_or(|it| *it == send.state)
            });
            ensure(same, "I5", || format!("{} stands as {:?}", send.id, send.state))?;
        }
        Ok(())
    }
}
