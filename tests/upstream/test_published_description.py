"""Requests to Meta are those of its published description.

Prism serves `cloud-api-openapi.json` (Meta's own, MIT; see its `info`) and answers what that does not allow with
the errors it describes. It keeps no state: every answer is an example, so what is tested here is the form of
what we send. (Some of the examples break the description themselves; that is not counted.)
"""

import pytest
import requests

from callers import Cams, OnPremises
from prism import Prism
from rollcalls import Rollcall

@pytest.fixture(scope="module")
def prism():
    started = Prism()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def gateway(prism):
    server = Rollcall()
    server.forward("meta", prism.url)
    yield server
    server.stop()


def test_an_on_premises_program_registers_by_the_published_description(prism, gateway):
    caller = OnPremises(gateway)
    status, body = caller.request_code("7700900123")
    assert (status, body) == (202, {"account": [{"vname": "Lucky Shrub"}]}), "\n".join(prism.lines[-20:])
    status, body = caller.verify("7700900123", "123456")
    assert status == 201, "\n".join(prism.lines[-20:])
    # Prism answers this one with its example of a sent message, so only the request counts.
    caller.set_pin("7700900123", "024680")
    assert gateway.upstream_number("+447700900123")["registered"] is True
    assert prism.violations() == []


def test_other_dialects_register_by_it_too(prism, gateway):
    caller = Cams(gateway)
    caller.add("7700900124")
    assert caller.request_code("7700900124", "voice") == (
        200, {"Code": "OK", "Message": "OK", "Success": True})
    assert caller.verify("7700900124", "123456")[1]["Code"] == "OK"
    assert caller.deregister("7700900124")[1]["Code"] == "OK"
    assert prism.violations() == []


def test_what_is_not_in_the_description_is_noticed(prism):
    """The measure measures: a code of five digits is refused."""
    reply = requests.post(
        prism.url + "/v25.0/106540352242922/verify_code", json={"code": "12345"}, timeout=120,
        headers={"Authorization": "Bearer EAAtest"})
    assert reply.status_code in (400, 422)
    assert prism.violations() != []
