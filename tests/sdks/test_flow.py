"""The onboarding of CAMS reference §8, by every SDK, in each signature family, over HTTP and HTTPS."""

from conftest import OTHER, OTHER_SPACE, SPACE, TEMPORARY

NUMBER = "447700900123"
NATIONAL = "7700900123"
NAME = "测试 Name & Co+~*!'()"
KEY = "-----BEGIN PUBLIC KEY-----\nMAMCAQE=\n-----END PUBLIC KEY-----"


def ok(reply):
    """The body of a success."""
    assert not reply.thrown and reply.code == "OK", reply
    return reply.body


def refused(reply, code):
    """A business failure: some SDKs return it, one throws it; all of them expose its code."""
    assert reply.outcome == (200, code), reply


def another_than(code):
    return "000000" if code != "000000" else "000001"


def about(space=SPACE):
    return {"CustSpaceId": space, "PhoneNumber": NUMBER}


def add(sdk, space=SPACE, name=NAME):
    number = {"CustSpaceId": space, "Cc": "44", "PhoneNumber": NATIONAL}
    ok(sdk.call("AddChatappPhoneNumber", **number, VerifiedName=name))


def register(server, sdk, space=SPACE):
    ok(sdk.call("GetChatappVerifyCode", **about(space), Method="sms", Locale="en_GB"))
    ok(sdk.call("ChatappVerifyAndRegister", **about(space), VerifyCode=server.code(NUMBER)))


def status(sdk, space=SPACE):
    """Status and name of the only number of a space."""
    (number,) = ok(sdk.call("ChatappSyncPhoneNumber", CustSpaceId=space))["PhoneNumbers"]
    return number["Status"], number["VerifiedName"]


def test_a_number_is_added_verified_registered_and_given_up(server, listener, sdk):
    assert ok(sdk.call("IsvGetAppId", Type="WHATSAPP", Permissions="catalog_management"))["AppId"]
    permissions = as_list(sdk, ["whatsapp_business_messaging", "catalog_management"])
    ok(sdk.call("GetPermissionByCode", Code="AQBx-y_z", Permissions=permissions))
    bound = ok(sdk.call("ChatappBindWaba", WabaId="102290129340398"))["Data"]
    assert bound == {"CustSpaceId": SPACE, "WabaId": "102290129340398"}
    account = {"StatusCallbackUrl": listener.url + "/account", "HttpFlag": "Y", "QueueFlag": "N"}
    ok(sdk.call("UpdateAccountWebhook", CustSpaceId=SPACE, **account))
    assert ok(sdk.call("ChatappSyncPhoneNumber", CustSpaceId=SPACE))["PhoneNumbers"] == []
    add(sdk)
    phone = {"StatusCallbackUrl": listener.url + "/number", "UpCallbackUrl": listener.url + "/up"}
    ok(sdk.call("UpdatePhoneWebhook", **about(), **phone, HttpFlag="Y", QueueFlag="N"))
    state = ok(sdk.call("GetPhoneNumberVerificationStatus", **about()))["Data"]
    assert (state["CodeVerificationStatus"], state["PhoneNumber"]) == ("NOT_VERIFIED", NUMBER)
    ok(sdk.call("GetChatappVerifyCode", **about(), Method="SMS", Locale="zh_CN"))
    code = server.code(NUMBER)
    wrong = sdk.call("ChatappVerifyAndRegister", **about(), VerifyCode=another_than(code))
    refused(wrong, "VerifyCode.Error")
    ok(sdk.call("ChatappVerifyAndRegister", **about(), VerifyCode=code))
    assert status(sdk) == ("CONNECTED", NAME)
    (listed,) = ok(sdk.call("QueryChatappPhoneNumbers", CustSpaceId=SPACE))["PhoneNumbers"]
    assert (listed["PhoneNumber"], listed["CodeVerificationStatus"]) == (NUMBER, "VERIFIED")
    assert {name: listed[name] for name in phone} == phone
    ok(sdk.call("ChatappPhoneNumberRegister", **about()))
    ok(sdk.call("ChatappPhoneNumberDeregister", **about()))
    assert status(sdk) == ("DISCONNECTED", NAME)
    is_told(server, listener, "account", "space", SPACE, ADDED, REGISTERED, GIVEN_UP)
    is_told(server, listener, "number", "number", state["Id"], REGISTERED, GIVEN_UP)
    assert "/up" not in listener.posts, "messages do not come from here"


ADDED = ("number_added", "UNVERIFIED")
REGISTERED = ("registered", "CONNECTED")
GIVEN_UP = ("deregistered", "DISCONNECTED")


def is_told(server, listener, path, scope, scope_id, *wanted):
    """What an endpoint was posted about the number, in this order, signed with its secret."""
    secret = server.webhook_secret(scope, scope_id)
    reports = listener.reports("/" + path, secret, len(wanted))
    assert [(report["Event"], report["Status"]) for report in reports] == list(wanted)
    for report in reports:
        assert (report["PhoneNumber"], report["VerifiedName"]) == (NUMBER, NAME)
        assert (report["CustSpaceId"], report["WabaId"]) == (SPACE, "102290129340398")


def test_a_space_takes_a_further_number(server, sdk):
    add(sdk)
    register(server, sdk)
    further = {"CustSpaceId": SPACE, "Cc": "44", "PhoneNumber": "7700900456"}
    ok(sdk.call("AddChatappPhoneNumber", **further, VerifiedName="Jasper's Market"))
    further = {"CustSpaceId": SPACE, "PhoneNumber": "447700900456"}
    ok(sdk.call("GetChatappVerifyCode", **further, Method="sms", Locale="en"))
    code = server.code("447700900456")
    ok(sdk.call("ChatappVerifyAndRegister", **further, VerifyCode=code))
    numbers = ok(sdk.call("ChatappSyncPhoneNumber", CustSpaceId=SPACE))["PhoneNumbers"]
    shown = {number["PhoneNumber"]: (number["Status"], number["VerifiedName"]) for number in numbers}
    assert shown == {
        NUMBER: ("CONNECTED", NAME),
        "447700900456": ("CONNECTED", "Jasper's Market"),
    }


def as_list(sdk, values):
    """Most SDKs take a list and write its JSON themselves; the general ones take text."""
    return values if sdk.takes_lists else '["' + '", "'.join(values) + '"]'


def test_a_number_is_verified_by_voice_first_and_registered_later(server, sdk):
    add(sdk)
    ok(sdk.call("GetChatappVerifyCode", **about(), Method="voice", Locale="en"))
    code = server.code(NUMBER)
    proven = ok(sdk.call("GetPreValidatePhoneId", PhoneNumber=NUMBER, VerifyCode=code))["Data"]
    state = ok(sdk.call("GetPhoneNumberVerificationStatus", **about()))["Data"]
    assert state == {
        "CodeVerificationStatus": "VERIFIED",
        "Id": proven["PhoneNumberId"],
        "PhoneNumber": NUMBER,
    }
    assert status(sdk)[0] == "PENDING"
    ok(sdk.call("ChatappPhoneNumberRegister", **about()))
    assert status(sdk)[0] == "CONNECTED"


def test_a_number_migrates_from_another_account(server, caller, sdk, way, scheme):
    other = caller(way, scheme, key=OTHER)
    add(other, OTHER_SPACE, "Jasper's Market")
    register(server, other, OTHER_SPACE)
    number = {"CustSpaceId": SPACE, "CountryCode": "44", "MobileNumber": NATIONAL}
    started = ok(sdk.call("CreateChatappMigrationInitiate", **number))["Data"]
    assert (started["PhoneNumber"], started["Status"]) == (NUMBER, "MIGRATING")
    server.advance(60)
    refused(sdk.call("ChatappMigrationRegister", **about()), "PhoneNumber.NotVerified")
    sent = ok(sdk.call("GetMigrationVerifyCode", **about(), Locale="en", Method="sms"))["Data"]
    assert sent == {"Id": started["Id"], "PhoneNumber": NUMBER}
    code = server.code(NUMBER)
    ok(sdk.call("ChatappMigrationVerified", **about(), VerifyCode=code))
    assert status(other, OTHER_SPACE)[0] == "CONNECTED"
    ok(sdk.call("ChatappMigrationRegister", **about()))
    assert status(sdk) == ("CONNECTED", "Jasper's Market"), "the name comes along"
    assert status(other, OTHER_SPACE)[0] == "MIGRATED"
    refused(
        sdk.call("GetMigrationVerifyCode", **about(), Locale="en", Method="sms"),
        "Migration.StatusError",
    )


def test_what_is_kept_beside_a_number_is_read_back(server, sdk):
    add(sdk)
    websites = ["https://example.com/?a=1&b=2", "https://example.org"]
    profile = {
        "About": "Plants & more",
        "Address": "1 Hacker Way",
        "Description": "测试 +~*!'()",
        "Email": "hello@example.com",
        "ProfilePictureUrl": "https://example.com/a.png",
        "Vertical": "RETAIL",
    }
    changes = profile | {"Websites": as_list(sdk, websites)}
    ok(sdk.call("ModifyPhoneBusinessProfile", **about(), **changes))
    shown = ok(sdk.call("QueryPhoneBusinessProfile", **about()))["Data"]
    assert shown == profile | {"Websites": websites}
    ok(sdk.call("UpdatePhoneEncryptionPublicKey", **about(), EncryptionPublicKey=KEY))
    key = ok(sdk.call("GetPhoneEncryptionPublicKey", **about()))["Data"]
    assert (key["EncryptionPublicKey"], key["EncryptionPublicKeyStatus"]) == (KEY, "VALID")
    waba = ok(sdk.call("QueryChatappBindWaba", CustSpaceId=SPACE))["Data"]
    assert (waba["Id"], waba["Name"]) == ("102290129340398", "Lucky Shrub Ltd")
    business = {"CustSpaceId": SPACE, "WabaId": "102290129340398"}
    business = ok(sdk.call("QueryWabaBusinessInfo", **business))["Data"]
    # An older model does not know all of it, and drops what it does not know.
    setting = ok(sdk.call("GetChatappPhoneNumberSetting", **about()))
    assert setting["Model"]["PhoneNumber"] == NUMBER
    assert business["BusinessId"] == waba.get("BusinessId", business["BusinessId"])


def test_health_is_that_of_the_number(server, sdk):
    add(sdk)
    ask = {"CustSpaceId": SPACE, "NodeType": "phone", "PhoneNumber": NUMBER}
    health = ok(sdk.call("GetWhatsappHealthStatus", **ask))["Data"]
    assert health["CanSendMessage"] == "BLOCKED"
    assert health["Entities"][0]["Errors"][0]["ErrorCode"] == "133010"
    register(server, sdk)
    health = ok(sdk.call("GetWhatsappHealthStatus", **ask))["Data"]
    assert health["CanSendMessage"] == "AVAILABLE"


def test_a_temporary_key_works_with_its_token(server, caller, way, scheme):
    sdk = caller(way, scheme, key=TEMPORARY)
    add(sdk)
    register(server, sdk)
    assert status(sdk) == ("CONNECTED", NAME)
