"""pywa, unmodified: its session is pointed at the server, nothing else."""

import pytest
from pywa import WhatsApp
from pywa.errors import WhatsAppError

from conftest import TOKEN, WABA


@pytest.fixture(scope="module")
def client(sandbox):
    client = WhatsApp(phone_id="", token=TOKEN, waba_id=WABA)
    client.api._session.base_url = sandbox.url + "/v25.0"
    return client


def test_a_registration_from_beginning_to_end(client, sandbox):
    created = client.create_phone_number(
        country_calling_code=44, phone_number="7700900123", verified_name="Lucky Shrub"
    )
    phone = created.id
    assert client.request_verification_code(code_method="SMS", language_code="en_US", phone_id=phone)
    assert client.verify_phone_number(code=sandbox.code("+447700900123"), phone_id=phone)
    assert client.register_phone_number(pin="246810", data_localization_region="CH", phone_id=phone)
    number = client.get_business_phone_number(phone_id=phone)
    assert number.verified_name == "Lucky Shrub"
    assert number.display_phone_number == "+44 7700 900123"
    assert str(number.code_verification_status) == "VERIFIED"
    assert number.is_pin_enabled is True
    assert phone in [it.id for it in client.get_business_phone_numbers(waba_id=WABA)]
    assert client.deregister_phone_number(phone_id=phone)


def test_refusals_arrive_as_errors_with_their_code(client, sandbox):
    phone = sandbox.add("7700900124")
    with pytest.raises(WhatsAppError) as refused:
        client.register_phone_number(pin="246810", phone_id=phone)
    assert refused.value.code == 133006
    client.request_verification_code(code_method="SMS", language_code="en_US", phone_id=phone)
    with pytest.raises(WhatsAppError) as refused:
        client.request_verification_code(code_method="SMS", language_code="en_US", phone_id=phone)
    assert refused.value.code == 136024
    code = sandbox.code("+447700900124")
    with pytest.raises(WhatsAppError) as refused:
        client.verify_phone_number(code="000000" if code != "000000" else "000001", phone_id=phone)
    assert refused.value.code == 136025
