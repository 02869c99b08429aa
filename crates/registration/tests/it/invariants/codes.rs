//! Books on codes: I1 (guesses are counted) and I2 (a code is accepted once).

use std::collections::{HashMap, HashSet};

use registration::{
    Accepted, ChallengeId, ClaimPhase, CodeProof, Command, Fact, NumberRecord, PhoneNumberId,
    Refusal, Timestamp, VerifyCode, WabaId, decide,
};

use super::{Step, elapsed_ms, ms};
use crate::stage::wrong_code_for;

/// What was seen of a challenge.
struct Seen {
    claim: PhoneNumberId,
    created_at: Timestamp,
    guesses: u32,
}

#[derive(Default)]
pub(super) struct Codes {
    seen: HashMap<ChallengeId, Seen>,
    compared: HashMap<ChallengeId, u32>,
    accepted: HashSet<ChallengeId>,
    /// Codes confirmed and not yet spent on a registration: since when.
    confirmed: HashMap<WabaId, Timestamp>,
}

impl Codes {
    pub(super) fn see(&mut self, step: &Step) {
        if let Command::VerifyCode(verify) = step.command {
            self.comparison_is_charged(step, verify);
        }
        self.counts_never_grow_back(&step.decision.next);
        self.registration_spends_a_confirmed_code(step);
    }

    /// Decides the same command with the right and with a wrong code. If the answers differ, the code was
    /// compared: that must be charged, and may happen only so often. If they do not, nothing was learnt.
    fn comparison_is_charged(&mut self, step: &Step, verify: &VerifyCode) {
        let CodeProof::Expected(id, right) = &verify.proof else {
            assert!(!is_answer_to_a_guess(step));
            return;
        };
        if verify.submitted.is_none() {
            assert!(!is_answer_to_a_guess(step));
            return;
        }
        let with = |submitted| {
            let verify = VerifyCode { submitted: Some(submitted), ..verify.clone() };
            decide(step.before.clone(), &Command::VerifyCode(verify), step.now, step.limits)
        };
        let (if_right, if_wrong) = (with(right.clone()), with(wrong_code_for(*id)));
        if if_right == if_wrong {
            assert!(!is_answer_to_a_guess(step));
            return;
        }
        assert!([&if_right, &if_wrong].contains(&step.decision));
        assert!(if_right.outcome.is_ok());
        assert!(matches!(if_wrong.outcome, Err(Refusal::CodeMismatch { .. })));
        assert_eq!(guesses(&if_wrong.next, *id), guesses(step.before, *id).map(|n| n + 1));
        assert_eq!(guesses(&if_right.next, *id), None, "used up");

        let compared = self.compared.entry(*id).or_default();
        *compared += 1;
        assert!(*compared <= step.limits.guesses_max(), "{id:?} was compared {compared} times");
        if step.decision.outcome.is_ok() {
            assert!(self.accepted.insert(*id), "{id:?} was accepted twice");
        }
    }

    fn counts_never_grow_back(&mut self, next: &NumberRecord) {
        for claim in &next.claims {
            let ClaimPhase::AwaitingCode(challenge) = &claim.phase else { continue };
            assert!(!self.accepted.contains(&challenge.id), "{:?} came back", challenge.id);
            let now = Seen {
                claim: claim.id.clone(),
                created_at: challenge.created_at,
                guesses: challenge.guesses,
            };
            if let Some(before) = self.seen.get(&challenge.id) {
                assert_eq!((&before.claim, before.created_at), (&now.claim, now.created_at));
                assert!(before.guesses <= now.guesses);
            }
            self.seen.insert(challenge.id, now);
        }
    }

    fn registration_spends_a_confirmed_code(&mut self, step: &Step) {
        if let (Command::VerifyCode(verify), true) =
            (step.command, step.decision.facts.contains(&Fact::CodeConfirmed))
        {
            self.confirmed.insert(verify.requester.waba.clone(), step.now);
        }
        let Ok(Accepted::Registered(id)) = &step.decision.outcome else { return };
        let claim = step.decision.next.claim(id).expect("registered for a claim");
        let since = self.confirmed.remove(&claim.waba).expect("a code of this claim was confirmed");
        let idle = elapsed_ms(since, step.now);
        assert!(idle < ms(step.limits.verified_idle), "confirmed {idle} ms ago");
    }
}

fn is_answer_to_a_guess(step: &Step) -> bool {
    match &step.decision.outcome {
        Ok(_) => true,
        Err(refusal) => matches!(refusal, Refusal::CodeMismatch { .. }),
    }
}

fn guesses(record: &NumberRecord, id: ChallengeId) -> Option<u32> {
    record.claims.iter().find_map(|claim| match &claim.phase {
        ClaimPhase::AwaitingCode(challenge) if challenge.id == id => Some(challenge.guesses),
        ClaimPhase::AwaitingCode(_) | ClaimPhase::Unverified | ClaimPhase::Verified { .. } => None,
    })
}
