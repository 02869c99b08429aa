//! I5: each decided send is handed over, and never again once that is acknowledged.

use std::collections::{BTreeMap, BTreeSet};

use registration::{PhoneNumber, Timestamp};
use service::keys::KeyRing;
use service::ports::{Send, SendId, SendReport, SendState};

use super::{Verdict, ensure};
use crate::journal::{CallId, Fate, NOBODY};

/// A send as the outside world sees it.
#[derive(Debug)]
struct Sent {
    send: Send,
    /// Every answer of the provider.
    fates: Vec<Fate>,
    /// Until when each worker has leased it; [`NOBODY`] stands for the lease it was stored with.
    leases: BTreeMap<CallId, Timestamp>,
    /// Leases whose outcome was not reported.
    open_leases: usize,
    /// A second worker rightly took it while the first, whose lease had passed, was still at it.
    shared: bool,
    /// The provider acknowledged it.
    acknowledged: bool,
    /// Somebody else may rightly take it: its lease passed, its worker died, or a report was lost.
    in_doubt: bool,
    /// Its end, as reported to the store.
    end: Option<SendState>,
}

/// All sends.
#[derive(Debug)]
pub(super) struct Sends {
    now: Timestamp,
    all: BTreeMap<SendId, Sent>,
    /// Sends whose step of the ladder was given back.
    given_back: BTreeSet<SendId>,
}

impl Sends {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { now, all: BTreeMap::new(), given_back: BTreeSet::new() }
    }

    pub(super) fn decided(&mut self, send: Send) {
        let leases: BTreeMap<_, _> =
            lease_of(&send).map(|until| (NOBODY, until)).into_iter().collect();
        let fresh = Sent {
            fates: Vec::new(),
            open_leases: leases.len(),
            leases,
            shared: false,
            acknowledged: false,
            in_doubt: has_passed(&send, self.now),
            end: None,
            send,
        };
        self.all.insert(fresh.send.id, fresh);
    }

    pub(super) fn leased(&mut self, worker: CallId, sends: &[Send]) {
        for send in sends {
            let Some(sent) = self.all.get_mut(&send.id) else { continue };
            if sent.in_doubt {
                sent.shared |= sent.open_leases > 0;
                sent.acknowledged = false;
            }
            sent.open_leases += 1;
            sent.leases.extend(lease_of(send).map(|until| (worker, until)));
            sent.in_doubt = has_passed(send, self.now);
            sent.send = send.clone();
        }
    }

    pub(super) fn turn(&mut self, now: Timestamp) {
        self.now = now;
        self.all.values_mut().for_each(|sent| sent.in_doubt |= has_passed(&sent.send, now));
    }

    pub(super) fn forgotten(&mut self) {
        self.all.values_mut().for_each(|sent| sent.in_doubt = true);
    }

    /// A worker begins to hand over: it must still have its lease, and nobody may be done already.
    pub(super) fn message(&self, worker: CallId, id: SendId) -> Verdict {
        let Some(sent) = self.all.get(&id) else {
            return ensure(false, "I6", || format!("{id} was never decided"));
        };
        let lease = sent.leases.get(&worker).or_else(|| sent.leases.get(&NOBODY));
        ensure(lease.is_some_and(|until| *until > self.now), "I5", || {
            format!("{id} was handed over by a worker whose lease had passed")
        })?;
        ensure(sent.shared || sent.end.is_none(), "I5", || {
            format!("{id} was handed over again after {:?} was recorded", sent.end)
        })?;
        ensure(sent.shared || sent.in_doubt || !sent.acknowledged, "I5", || {
            format!("{id} was handed over again after the provider acknowledged it")
        })
    }

    pub(super) fn content(
        &self,
        keys: &KeyRing,
        id: SendId,
        number: PhoneNumber,
        code: &str,
    ) -> Verdict {
        let Some(Sent { send, .. }) = self.all.get(&id) else { return Ok(()) };
        let what = &send.what;
        let right = keys.code(what.key_epoch, send.number, &what.claim, what.challenge);
        ensure(number == send.number, "I5", || format!("{id} went to another number"))?;
        ensure(right.is_some_and(|right| right.reveal() == code), "I5", || {
            format!("{id} carried another code")
        })
    }

    pub(super) fn fate(&mut self, id: SendId, fate: Fate) {
        if let Some(sent) = self.all.get_mut(&id) {
            sent.fates.push(fate);
            sent.acknowledged |= fate == Fate::Acknowledged;
        }
    }

    pub(super) fn reports(&mut self, reports: &[SendReport]) -> Verdict {
        for report in reports {
            let Some(sent) = self.all.get_mut(&report.id) else { continue };
            sent.open_leases = sent.open_leases.saturating_sub(1);
            if !advances(sent.end.as_ref(), &report.state) {
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

    /// A step of a ladder of this number was given back: once for each send that expired and that no
    /// provider can have taken.
    pub(super) fn given_back(&mut self, number: PhoneNumber) -> Verdict {
        let owed = self.all.values().find(|sent| {
            let taken =
                |fate: &Fate| matches!(fate, Fate::Acknowledged | Fate::AcknowledgementLost);
            sent.send.number == number
                && !self.given_back.contains(&sent.send.id)
                && !sent.fates.iter().any(taken)
                && matches!(sent.end, Some(SendState::Failed { .. }))
        });
        let owed = owed.map(|sent| sent.send.id);
        self.given_back.extend(owed);
        ensure(owed.is_some(), "I6", || {
            format!("{number:?} got a step back for a code that was sent")
        })
    }

    pub(super) fn open(&self) -> Vec<SendId> {
        self.all.values().filter(|sent| sent.end.is_none()).map(|sent| sent.send.id).collect()
    }

    pub(super) fn all_done(&self) -> Verdict {
        let open = self.open();
        ensure(open.is_empty(), "I5", || format!("{open:?} were decided and never handed over"))
    }

    /// The ledger holds exactly these sends, each with its end.
    pub(super) fn compare(&self, ledger: &[Send]) -> Verdict {
        ensure(ledger.len() == self.all.len(), "I4", || {
            format!("{} sends were decided, {} are in the ledger", self.all.len(), ledger.len())
        })?;
        for send in ledger {
            let sent = self.all.get(&send.id);
            let same = sent.is_some_and(|sent| {
                sent.send.what == send.what && sent.end.as_ref().is_none_or(|it| *it == send.state)
            });
            ensure(same, "I5", || format!("{} stands as {:?}", send.id, send.state))?;
        }
        Ok(())
    }
}

fn lease_of(send: &Send) -> Option<Timestamp> {
    if let SendState::Claimed { until, .. } = send.state { Some(until) } else { None }
}

/// Whether others may take the send: nobody has a lease on it, or it has passed.
fn has_passed(send: &Send, now: Timestamp) -> bool {
    lease_of(send).is_none_or(|until| until <= now)
}

/// Whether the store takes a report: an acknowledgement counts even where somebody had given up, and
/// nothing that a worker concludes undoes it.
fn advances(end: Option<&SendState>, report: &SendState) -> bool {
    match end {
        None => true,
        Some(SendState::Failed { .. }) => matches!(report, SendState::HandedOver { .. }),
        Some(
            SendState::HandedOver { .. }
            | SendState::Delivered { .. }
            | SendState::Decided { .. }
            | SendState::Claimed { .. },
        ) => false,
    }
}
