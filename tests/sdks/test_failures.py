"""What goes wrong reaches the program the way each SDK tells such things."""

import time

import pytest

from conftest import ALICE, OTHER_SPACE, OWN, SPACE, UNSUBSCRIBED
from sdks import Key
from test_flow import NUMBER, about, add, another_than, ok, refused, register

PYTHON_TYPED = ("python-typed-v3", "python-typed-v1")


@pytest.fixture
def sdk(caller, way):
    """Over HTTP only: what an answer says does not depend on how it travels."""
    return caller(way)


def thrown(reply, status, code):
    assert reply.thrown, reply
    assert reply.code == code, reply
    assert reply.status in (status, None), reply


def test_codes_are_refused_when_wrong_expired_used_or_guessed_too_often(server, sdk):
    add(sdk)
    confirm = "ChatappVerifyAndRegister"
    refused(sdk.call(confirm, **about(), VerifyCode="123456"), "VerifyCode.Expired")
    ok(sdk.call("GetChatappVerifyCode", **about(), Method="sms", Locale="en"))
    code = server.code(NUMBER)
    server.advance(601)
    refused(sdk.call(confirm, **about(), VerifyCode=code), "VerifyCode.Expired")
    ok(sdk.call("GetChatappVerifyCode", **about(), Method="sms", Locale="en"))
    code = server.code(NUMBER)
    wrong = another_than(code)
    for _ in range(3):
        refused(sdk.call(confirm, **about(), VerifyCode=wrong), "VerifyCode.Error")
    refused(sdk.call(confirm, **about(), VerifyCode=code), "VerifyCode.LimitControl")
    server.advance(60)
    ok(sdk.call(confirm, **about(), VerifyCode=code))
    refused(sdk.call(confirm, **about(), VerifyCode=code), "VerifyCode.Expired")


def test_limits_of_a_number_are_told(server, sdk):
    add(sdk)
    ask = about() | {"Method": "sms", "Locale": "en"}
    ok(sdk.call("GetChatappVerifyCode", **ask))
    reply = sdk.call("GetChatappVerifyCode", **ask)
    refused(reply, "System.LimitControl")
    server.advance(60)
    ok(sdk.call("GetChatappVerifyCode", **ask))


def test_what_is_malformed_is_told(server, sdk):
    ask = {"CustSpaceId": SPACE, "Method": "sms", "Locale": "en"}
    for number in ("86", "1234567890123456", "+447700900123", "abc"):
        reply = sdk.call("GetChatappVerifyCode", **ask, PhoneNumber=number)
        refused(reply, "InvalidParameter.PhoneNumberError")
    ask["PhoneNumber"] = NUMBER
    refused(sdk.call("GetChatappVerifyCode", **ask), "InvalidParameter.PhoneNumberNotExist")
    fax = sdk.call("GetChatappVerifyCode", **ask | {"Method": "fax"})
    refused(fax, "InvalidParameter.MethodNotSupport")
    klingon = sdk.call("GetChatappVerifyCode", **ask | {"Locale": "tlh"})
    refused(klingon, "InvalidParameter.LanguageNotSupport")
    thrown(sdk.call("GetChatappVerifyCode", **ask | {"PhoneNumber": ""}), 400, "MissingPhoneNumber")


def test_a_space_of_another_account_looks_like_none(server, sdk):
    for space in (OTHER_SPACE, "cams-nowhere"):
        reply = sdk.call("ChatappSyncPhoneNumber", CustSpaceId=space)
        thrown(reply, 400, "Unknown.ResourceOwnerId")


def test_what_is_not_served_says_why(server, sdk):
    reply = sdk.call("GetCommerceSetting", **about())
    thrown(reply, 404, "InvalidAction.NotFound")
    assert "Rollcall registers phone numbers" in reply.message


def test_a_user_without_a_policy_is_denied_with_the_detail(server, caller, way):
    sdk = caller(way, key=ALICE)
    reply = sdk.call("IsvGetAppId", Type="WHATSAPP")
    thrown(reply, 400, "Ram.PermissionDeny")
    detail = reply.detail or reply.body.get("AccessDeniedDetail")
    if sdk.exposes_detail:
        assert detail["AuthAction"] == "cams:IsvGetAppId"
        assert detail["AuthPrincipalType"] == "SubUser"


def test_an_account_without_the_product_is_told(server, caller, way):
    sdk = caller(way, key=UNSUBSCRIBED)
    thrown(sdk.call("IsvGetAppId", Type="WHATSAPP"), 400, "Product.Unsubscript")


def test_keys_that_are_none_are_told(server, caller, way):
    unknown = caller(way, key=Key("LTAI5tFakeAccessKeyId999", OWN.secret))
    reply = unknown.call("IsvGetAppId", Type="WHATSAPP")
    thrown(reply, 404, "InvalidAccessKeyId.NotFound")
    wrong = caller(way, key=Key(OWN.id, "another secret"))
    reply = wrong.call("IsvGetAppId", Type="WHATSAPP")
    # The core SDK compares the string that was signed with its own, and then knows better.
    code = "InvalidAccessKeySecret" if way == "python-core-v1" else "SignatureDoesNotMatch"
    thrown(reply, 400, code)


def test_a_request_signed_at_another_time_is_refused(server, sdk):
    server.advance(901)
    thrown(sdk.call("IsvGetAppId", Type="WHATSAPP"), 400, "InvalidTimeStamp.Expired")


def test_flow_control_is_an_error_of_its_own(server, sdk, way):
    server.sandbox("POST", "clock", json={"freeze": True})
    replies = [sdk.call("IsvGetAppId", Type="WHATSAPP") for _ in range(12)]
    assert [reply.code for reply in replies].count("OK") == 10
    thrown(replies[-1], 400, "Throttling.User")
    if way in PYTHON_TYPED:
        assert replies[-1].name == "ThrottlingException"
    else:
        assert replies[-1].name != "ThrottlingException"


def test_no_other_error_is_taken_for_flow_control(server, caller):
    sdk = caller("python-typed-v3")
    reply = sdk.call("ChatappSyncPhoneNumber", CustSpaceId="cams-nowhere")
    assert reply.name == "ClientException"


def test_a_fault_of_the_server_is_an_error_of_the_server(server, sdk, way):
    fault = {"dialect": "cams", "operation": "add_number", "unavailable": True}
    server.sandbox("POST", "faults", json=fault)
    number = {"CustSpaceId": SPACE, "Cc": "44", "PhoneNumber": "7700900123", "VerifiedName": "A"}
    reply = sdk.call("AddChatappPhoneNumber", **number)
    thrown(reply, 503, "ServiceUnavailable")
    if way in PYTHON_TYPED:
        assert reply.name == "ServerException"
    server.sandbox("DELETE", "faults")
    ok(sdk.call("AddChatappPhoneNumber", **number))


def test_the_old_core_gets_xml_where_it_asks_for_it(server, caller):
    sdk = caller("python-core-v1")
    status, kind, text = sdk.raw("IsvGetAppId", "XML", Type="WHATSAPP")
    assert (status, kind) == (200, "text/xml;charset=utf-8")
    assert text.startswith("<?xml version='1.0' encoding='UTF-8'?><IsvGetAppIdResponse>"), text
    assert "<Code>OK</Code>" in text
    status, kind, text = sdk.raw("ChatappSyncPhoneNumber", "XML", CustSpaceId="cams-nowhere")
    assert (status, kind) == (400, "text/xml;charset=utf-8")
    assert "<Error><" in text and "<Code>Unknown.ResourceOwnerId</Code>" in text


def test_a_register_call_too_many_opens_with_time(server, sdk):
    add(sdk)
    register(server, sdk)
    for _ in range(9):
        ok(sdk.call("ChatappPhoneNumberRegister", **about()))
        time.sleep(0.05)
    refused(sdk.call("ChatappPhoneNumberRegister", **about()), "System.LimitControl")
