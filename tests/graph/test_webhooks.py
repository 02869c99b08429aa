"""pywa, unmodified, subscribes endpoints; what they are told is signed the way pywa checks."""

import pytest
from pywa import WhatsApp
from pywa.errors import WhatsAppError

from conftest import TOKEN, WABA
from endpoint import Endpoint

VERIFY = "a token & more"
FIELDS = ("account_update", "phone_number_name_update", "phone_number_quality_update", "security")


@pytest.fixture
def endpoint():
    endpoint = Endpoint(VERIFY)
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="module")
def client(sandbox):
    client = WhatsApp(phone_id="", token=TOKEN, waba_id=WABA)
    client.api._session.base_url = sandbox.url + "/v25.0"
    return client


def app_id(sandbox):
    token = {"input_token": TOKEN}
    return sandbox.graph("GET", "debug_token", params=token).json()["data"]["app_id"]


def test_the_nearest_endpoint_is_told(client, sandbox, endpoint):
    own = {"app_id": app_id(sandbox), "app_access_token": TOKEN, "fields": FIELDS}
    url = endpoint.url
    with pytest.raises(WhatsAppError) as refused:
        client.set_app_callback_url(callback_url=url + "/app", verify_token="wrong", **own)
    assert refused.value.code == 2200
    assert client.set_app_callback_url(callback_url=url + "/app", verify_token=VERIFY, **own)
    subscribed = sandbox.graph("POST", f"{WABA}/subscribed_apps")
    assert subscribed.json() == {"success": True}

    phone = sandbox.registered("7700900126")
    secret = sandbox.app_secret()
    ((field, value),) = endpoint.changes("/app", 1, secret)
    assert field == "phone_number_quality_update"
    assert value["display_phone_number"] == "447700900126"

    assert client.override_waba_callback_url(url + "/waba", VERIFY)
    assert client.update_display_name("Jasper's Market", phone_id=phone)
    ((field, value),) = endpoint.changes("/waba", 1, secret)
    assert field == "phone_number_name_update"
    assert value["decision"] == "APPROVED"
    assert value["requested_verified_name"] == "Jasper's Market"
    assert client.get_business_phone_number(phone_id=phone).verified_name == "Lucky Shrub"
    assert client.register_phone_number(pin="246810", phone_id=phone)
    assert client.get_business_phone_number(phone_id=phone).verified_name == "Jasper's Market"

    assert client.override_phone_callback_url(url + "/phone", VERIFY, phone_id=phone)
    assert client.deregister_phone_number(phone_id=phone)
    ((field, value),) = endpoint.changes("/phone", 1, secret)
    assert (field, value["event"]) == ("account_update", "ACCOUNT_OFFBOARDED")
    assert client.delete_phone_callback_url(phone_id=phone)
    assert client.delete_waba_callback_url()
    assert endpoint.asked == ["/app", "/app", "/waba", "/phone"]
    assert {path: len(posts) for path, posts in endpoint.posts.items()} == {
        "/app": 1,
        "/waba": 1,
        "/phone": 1,
    }
