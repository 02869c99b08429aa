"""Trouble between a Rollcall and the registrar upstream: a retryable answer or the true result, never two
registrations and never a lost one.

Each fault strikes one call of a registration by an On-Premises program, which does what such programs do: it
tries again.
"""

import re
import threading
import time

import pytest
import requests

from callers import OnPremises
from faults import NotTls, Proxy
from ports import Nobody
from rollcalls import Rollcall

# Short, since each call that is lost is waited for so long; longer than any other takes on a busy machine.
SETTINGS = '[upstream]\nconnect_timeout = "5s"\ncall_timeout = "2s"\n'
NUMBER = "7700900130"

# What a call is named at each registrar, as the proxy sees it.
CALLS = {
    "meta": {
        "find": "GET /v25.0/102290129340398/phone_numbers",
        "add": "POST /v25.0/102290129340398/phone_numbers",
        "request_code": "/request_code", "verify_code": "/verify_code", "register": "/register",
    },
    "alibaba": {
        "find": "QueryChatappPhoneNumbers", "add": "AddChatappPhoneNumber",
        "request_code": "GetChatappVerifyCode", "verify_code": "ChatappVerifyAndRegister",
    },
}
FAULTS = ["503", "500", "slow", "cut", "lost", "close", "refused"]
# The call that registers; at Alibaba also the one that confirms the code.
REGISTERS = {"meta": "/register", "alibaba": "ChatappVerifyAndRegister"}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    file = tmp_path_factory.mktemp("settings") / "rollcall.toml"
    file.write_text(SETTINGS)
    gateway, upstream = Rollcall(["--config", str(file)]), Rollcall()
    yield gateway, upstream
    gateway.stop()
    upstream.stop()


def registrations(upstream):
    return [event for event in upstream.events("registered")]


def persevere(gateway, upstream, caller):
    """Asks until the number is registered; every answer on the way must be one that a program retries."""
    answers = []
    for _ in range(12):
        status, body = caller.request_code(NUMBER)
        answers.append((status, body))
        if status == 201:
            return answers
        if status == 202:
            # A code that was ordered may be on its way already, or still to come.
            _, code = upstream.next_code("+44" + NUMBER)
            for _ in range(4):
                status, body = caller.verify(NUMBER, code)
                answers.append((status, body))
                if status == 201:
                    return answers
                if status != 503:
                    break
                # Also where the clock is turned, a proxy that went away needs its moment.
                time.sleep(0.2)
                advance(gateway, upstream, 16)
        time.sleep(0.1)
        advance(gateway, upstream, 61)
    raise AssertionError(answers)


def advance(gateway, upstream, seconds):
    for server in (gateway, upstream):
        server.advance(seconds)


def retryable(answer):
    status, body = answer
    details = body["errors"][0]["details"] if status == 403 else ""
    return status in (201, 202, 503) or re.search(r"^Please wait|\(missing\)$", details)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "registrar, call", [(registrar, call) for registrar, calls in CALLS.items() for call in calls])
def test_a_fault_ends_in_one_registration(world, registrar, call, fault):
    gateway, upstream = world
    gateway.reset()
    upstream.reset()
    proxy = Proxy(upstream.url)
    try:
        gateway.forward(registrar, proxy.url)
        proxy.arm(fault, CALLS[registrar][call])
        caller = OnPremises(gateway)
        answers = persevere(gateway, upstream, caller)
        assert proxy.times == 0, "the fault did not strike"
        assert all(retryable(answer) for answer in answers), answers
        assert len(registrations(upstream)) == 1
        # Neither twice nor, where that is legal and costs one of ten, once more.
        assert proxy.carried_out(REGISTERS[registrar]) == 1
        assert proxy.carried_out("ChatappPhoneNumberRegister") == 0
        assert caller.request_code(NUMBER)[0] == 201
        assert gateway.upstream_number("+44" + NUMBER)["unsettled"] is False
    finally:
        proxy.stop()


@pytest.mark.parametrize("where", ["refused", "no TLS"])
def test_nobody_there_is_a_retryable_answer_that_costs_nothing(world, where):
    gateway, upstream = world
    gateway.reset()
    upstream.reset()
    closed = NotTls() if where == "no TLS" else Nobody()
    gateway.forward("meta", closed.url)
    caller = OnPremises(gateway)
    for _ in range(2):
        status, body = caller.request_code(NUMBER)
        assert (status, body["errors"][0]["code"]) == (503, 1016)
    closed.stop()
    # The same order goes through as soon as the registrar is there, without a wait.
    gateway.forward("meta", upstream.url)
    assert caller.request_code(NUMBER)[0] == 202


@pytest.mark.parametrize("registrar", CALLS)
@pytest.mark.parametrize("where", ["refused", "no TLS"])
def test_nobody_there_any_more_loses_no_code(world, registrar, where):
    """Gone after the code was sent: the confirmation is put off, and the same code registers afterwards."""
    gateway, upstream = world
    gateway.reset()
    upstream.reset()
    gateway.forward(registrar, upstream.url)
    caller = OnPremises(gateway)
    assert caller.request_code(NUMBER)[0] == 202
    _, code = upstream.next_code("+44" + NUMBER)
    closed = NotTls() if where == "no TLS" else Nobody()
    gateway.forward(registrar, closed.url)
    for _ in range(2):
        status, body = caller.verify(NUMBER, code)
        assert (status, body["errors"][0]["code"]) == (503, 1016)
    closed.stop()
    gateway.forward(registrar, upstream.url)
    assert caller.verify(NUMBER, code)[0] == 201
    assert len(registrations(upstream)) == 1


def test_a_crash_between_call_and_record_is_settled_after_the_start(tmp_path):
    """Killed while `register` is under way: the next start finds the intent and reads back."""
    gateway, upstream = Rollcall(), Rollcall()
    proxy = Proxy(upstream.url)
    try:
        gateway.forward("meta", proxy.url)
        caller = OnPremises(gateway)
        assert caller.request_code(NUMBER)[0] == 202
        _, code = upstream.next_code("+44" + NUMBER)
        proxy.arm("lost", "/register")
        asking = threading.Thread(target=lambda: swallow(caller.verify, NUMBER, code))
        asking.start()
        # The answer is held back meanwhile.
        until = time.monotonic() + 25
        while not registrations(upstream):
            assert time.monotonic() < until, "it was not registered"
            time.sleep(0.05)
        gateway.kill()
        asking.join(timeout=120)
        # Not the seed again: it would put the directory back.
        gateway.start()
        caller = OnPremises(gateway)
        assert caller.verify(NUMBER, code)[0] == 201
        assert len(registrations(upstream)) == 1
        assert gateway.upstream_number("+44" + NUMBER)["registered"] is True
        assert gateway.admin("POST", "/numbers/44" + NUMBER + "/reveal-pin").status_code == 200
        read_back = [e for e in gateway.events("upstream_called") if "read back" in str(e)]
        assert len(read_back) == 1
    finally:
        proxy.stop()
        gateway.stop()
        upstream.stop()


def swallow(call, *arguments):
    try:
        call(*arguments)
    except requests.RequestException:
        pass
