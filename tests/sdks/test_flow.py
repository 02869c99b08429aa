"""The whole onboarding of CAMS reference §8, by every SDK, in each signature family, over HTTP and HTTPS."""

from conftest import SPACE

NUMBER = "447700900123"


def ok(reply):
    """The body of a success."""
    assert not reply.thrown and reply.code == "OK", reply
    return reply.body


def test_a_number_is_added_verified_registered_and_given_up(server, sdk):
    about = {"CustSpaceId": SPACE, "PhoneNumber": NUMBER}
    assert ok(sdk.call("IsvGetAppId", Type="WHATSAPP"))["AppId"]
    bound = ok(sdk.call("ChatappBindWaba", WabaId="102290129340398"))["Data"]
    assert bound == {"CustSpaceId": SPACE, "WabaId": "102290129340398"}
    added = {"CustSpaceId": SPACE, "Cc": "44", "PhoneNumber": "7700900123"}
    ok(sdk.call("AddChatappPhoneNumber", **added, VerifiedName="测试 Name & Co+~*!'()"))
    status = ok(sdk.call("GetPhoneNumberVerificationStatus", **about))["Data"]
    assert (status["CodeVerificationStatus"], status["PhoneNumber"]) == ("NOT_VERIFIED", NUMBER)
    ok(sdk.call("GetChatappVerifyCode", **about, Method="SMS", Locale="en_GB"))
    code = server.code(NUMBER)
    ok(sdk.call("ChatappVerifyAndRegister", **about, VerifyCode=code))
    (synced,) = ok(sdk.call("ChatappSyncPhoneNumber", CustSpaceId=SPACE))["PhoneNumbers"]
    assert (synced["Status"], synced["VerifiedName"]) == ("CONNECTED", "测试 Name & Co+~*!'()")
    (listed,) = ok(sdk.call("QueryChatappPhoneNumbers", CustSpaceId=SPACE))["PhoneNumbers"]
    assert (listed["PhoneNumber"], listed["CodeVerificationStatus"]) == (NUMBER, "VERIFIED")
    ok(sdk.call("ChatappPhoneNumberRegister", **about))
    ok(sdk.call("ChatappPhoneNumberDeregister", **about))
