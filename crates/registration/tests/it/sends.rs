//! When a code may be sent: the ladders of SMS and of voice calls.

use registration::{CodeMethod, NumberKind, Refusal};

use crate::answers::{Answer, DAY, no_more_calls, no_more_sms, sent, too_soon};
use crate::asks::{A, A1, B, sms, voice};
use crate::stage::Stage;

fn wait_sms(second: i64) -> Answer {
    too_soon(CodeMethod::Sms, second)
}

fn wait_call(second: i64) -> Answer {
    too_soon(CodeMethod::Voice, second)
}

#[test]
fn sms_go_out_after_0_60_120_300_and_600_seconds_and_again_a_day_after_the_first() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (0, sms(A), wait_sms(60)),
        (59, sms(A), wait_sms(60)),
        (60, sms(A), sent(A)),
        (179, sms(A), wait_sms(180)),
        (180, sms(A), sent(A)),
        (479, sms(A), wait_sms(480)),
        (480, sms(A), sent(A)),
        (1079, sms(A), wait_sms(1080)),
        (1080, sms(A), sent(A)),
        (1080, sms(A), no_more_sms(DAY)),
        (DAY - 1, sms(A), no_more_sms(DAY)),
        (DAY, sms(A), sent(A)),
        (DAY + 59, sms(A), wait_sms(DAY + 60)),
    ]);
}

#[test]
fn waits_count_from_the_send_before_not_from_the_first() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (1000, sms(A), sent(A)),
        (1119, sms(A), wait_sms(1120)),
        (1120, sms(A), sent(A)),
    ]);
}

#[test]
fn no_wait_outlasts_the_restart_of_the_ladder() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (DAY - 30, sms(A), sent(A)),
        (DAY - 29, sms(A), wait_sms(DAY)),
        (DAY, sms(A), sent(A)),
    ]);
}

#[test]
fn the_first_call_waits_a_minute_for_the_first_sms_and_the_others_for_the_call_before() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (0, voice(A), wait_call(60)),
        (59, voice(A), wait_call(60)),
        (60, voice(A), sent(A)),
        (119, voice(A), wait_call(120)),
        (120, voice(A), sent(A)),
        (419, voice(A), wait_call(420)),
        (420, voice(A), sent(A)),
        (421, voice(A), no_more_calls(DAY + 60)),
        (DAY + 59, voice(A), no_more_calls(DAY + 60)),
        (DAY + 60, voice(A), sent(A)),
    ]);
}

#[test]
fn later_sms_do_not_put_off_the_first_call() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A), sent(A)), (60, sms(A), sent(A)), (61, voice(A), sent(A))]);
}

#[test]
fn a_call_goes_out_at_once_where_no_sms_was_sent() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, voice(A), sent(A)), (1, voice(A), wait_call(60)), (1, sms(A), sent(A))]);
}

#[test]
fn a_call_goes_out_at_once_where_the_number_takes_no_sms() {
    let mut stage = Stage::claimed();
    let call = voice(A).kind(NumberKind::FixedLine);
    stage.play(&[(0, sms(A), sent(A)), (1, call, sent(A)), (1, call, wait_call(61))]);
}

#[test]
fn an_sms_of_an_earlier_ladder_does_not_hold_a_call_back() {
    let mut stage = Stage::claimed();
    stage.play(&[(0, sms(A), sent(A)), (DAY, voice(A), sent(A))]);
}

#[test]
fn voice_still_works_when_sms_are_exhausted() {
    let mut stage = Stage::claimed();
    let sends = [0, 60, 180, 480, 1080].map(|second| (second, sms(A), sent(A)));
    stage.play(&sends);
    stage.play(&[(1081, sms(A), no_more_sms(DAY)), (1081, voice(A), sent(A))]);
}

#[test]
fn the_ladders_belong_to_the_number_whoever_asks_in_whatever_dialect() {
    let mut stage = Stage::claimed();
    stage.play(&[
        (0, sms(A), sent(A)),
        (1, sms(B), wait_sms(60)),
        (1, sms(A1), wait_sms(60)),
        (60, sms(B), sent(B)),
        (60, sms(A), wait_sms(180)),
    ]);
}

#[test]
fn an_empty_ladder_sends_nothing() {
    let mut stage = Stage::claimed();
    stage.limits.sms_waits.clear();
    stage.limits.voice_waits.clear();
    stage.play(&[(7, sms(A), no_more_sms(DAY + 7)), (7, voice(A), no_more_calls(DAY + 7))]);
}

#[test]
fn an_unclaimed_number_gets_no_code_unless_the_request_brings_the_claim() {
    let mut stage = Stage::empty();
    stage.play(&[(0, sms(A), Err(Refusal::NotClaimed)), (0, sms(A1), sent(A))]);
}
