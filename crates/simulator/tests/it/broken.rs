use simulator::run::{Plan, run};
use simulator::sabotage::Sabotage;

/// Whether a world that is broken like this is caught within a few seeds, and always for this reason.
fn is_caught(sabotage: Sabotage, invariant: &str) {
    let found = (1..=6)
        .find_map(|seed| run(Plan { seed, steps: 1_500, sabotage, stalls: false }).violation);
    let (step, violation) = found.expect("a violation");
    assert_eq!(violation.invariant, invariant, "step {step}: {violation}");
}

macro_rules! broken_worlds {
    ($($fact:ident: $sabotage:ident breaks $invariant:literal,)+) => {
        $(
            #[test]
            fn $fact() {
                is_caught(Sabotage::$sabotage, $invariant);
            }
        )+
    };
}

broken_worlds! {
    a_store_that_drops_acknowledged_units_is_caught: DropsUnits breaks "I4",
    a_store_that_answers_before_it_writes_is_caught: AnswersEarly breaks "I4",
    a_guess_that_is_not_charged_is_caught: FreeGuesses breaks "I1",
    a_code_that_can_be_used_twice_is_caught: RevivesCodes breaks "I2",
    a_message_sent_again_after_its_acknowledgement_is_caught: ForgetsAcknowledgements breaks "I5",
    an_outbox_that_nobody_empties_is_caught: SkipsOutbox breaks "I5",
    a_refusal_that_sends_is_caught: SendsOnRefusal breaks "I6",
    a_code_in_the_ledger_is_caught: LeaksCodes breaks "I7",
    a_change_of_a_neighbours_claim_is_caught: TouchesNeighbours breaks "I9",
    a_verdict_on_a_name_that_is_not_heeded_is_caught: IgnoresVerdicts breaks "names",
    an_edited_audit_trail_is_caught: EditsAudit breaks "I10",
}
