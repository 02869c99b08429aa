//! Which channel can carry a code to which kind of number.

use registration::{CodeMethod, NumberKind, Refusal};

use crate::answers::sent;
use crate::asks::{A, B, sms, voice};
use crate::stage::Stage;

#[test]
fn each_kind_of_number_takes_the_channels_of_its_kind_and_no_other() {
    let (yes, no) = (true, false);
    for (kind, takes_sms, takes_voice) in [
        (NumberKind::Mobile, yes, yes),
        (NumberKind::FixedLineOrMobile, yes, yes),
        (NumberKind::FixedLine, no, yes),
        (NumberKind::TollFree, no, yes),
        (NumberKind::Voip, no, yes),
        (NumberKind::UniversalAccess, no, yes),
        (NumberKind::SharedCost, no, no),
        (NumberKind::PersonalNumber, no, no),
        (NumberKind::PremiumRate, no, no),
        (NumberKind::Pager, no, no),
        (NumberKind::Voicemail, no, no),
    ] {
        let cases =
            [(sms(A), CodeMethod::Sms, takes_sms), (voice(A), CodeMethod::Voice, takes_voice)];
        for (ask, method, takes) in cases {
            let impossible = Err(Refusal::ChannelImpossible { method, kind });
            let expected = if takes { sent(A) } else { impossible };
            Stage::claimed().play(&[(0, ask.kind(kind), expected)]);
        }
    }
}

#[test]
fn an_impossible_channel_is_refused_before_any_cost() {
    let mut stage = Stage::claimed();
    let before = stage.record.clone();
    let decision = stage.ask(0, sms(A).kind(NumberKind::TollFree));
    assert_eq!(decision.next, before);
    assert_eq!(decision.effects, []);
    stage.play(&[(0, sms(B), sent(B))]);
}
