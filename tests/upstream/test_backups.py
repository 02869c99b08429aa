"""A backup stands for a code also where the registrar is elsewhere: it is handed on, and nothing of it is kept.

The upstream runs the number on an On-Premises client of its own, as Meta's side did when it made the backup.
"""

import pytest

from callers import CC, Graph, OnPremises
from rollcalls import Rollcall

NATIONAL, PIN, PASSWORD = "7700900170", "024680", "Backup-of-mine-1!"
NUMBER = "+" + CC + NATIONAL
# The base64 of whatever the retired original made: only Meta can open it.
OF_THE_ORIGINAL = "V0FCSVoCAAUHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"


@pytest.fixture(scope="module")
def servers():
    gateway, upstream = Rollcall(), Rollcall()
    yield gateway, upstream
    gateway.stop()
    upstream.stop()


@pytest.fixture
def moving(servers):
    """The number runs on a client of the upstream, under a PIN; its backup."""
    gateway, upstream = servers
    for server in servers:
        server.reset()
    gateway.forward("meta", upstream.url)
    return gateway, upstream, on_premises(upstream)


def on_premises(server):
    program = OnPremises(server)
    assert program.request_code(NATIONAL)[0] == 202
    assert program.verify(NATIONAL, server.next_code(NUMBER)[1])[0] == 201
    assert program.set_pin(NATIONAL, PIN)[0] == 200
    return backup_of(program)


def backup_of(program):
    status, body = program.call("POST", "/v1/settings/backup", {"password": PASSWORD})
    assert status == 200, body
    return body["settings"]["data"]


def register(caller, data, password=PASSWORD, pin=PIN):
    body = {"messaging_product": "whatsapp", "pin": pin, "backup": {"data": data, "password": password}}
    return caller.call("POST", caller.id(NATIONAL) + "/register", body)


def platform(server):
    caller = Graph(server)
    query = {"fields": "platform_type,status"}
    status, body = caller.call("GET", caller.id(NATIONAL), query=query)
    assert status == 200, body
    return body["platform_type"], body["status"]


def codes_sent(server):
    return len(server.events("code_requested"))


def assert_nothing_is_readable(gateway, *secrets):
    """Neither in the database nor in the log of the gateway."""
    for file in gateway.folder.rglob("*"):
        if file.is_file() and file.name != "seed.toml":
            content = file.read_bytes()
            for secret in secrets:
                assert secret.encode() not in content, f"{file} holds {secret[:8]}…"


def test_a_cloud_program_moves_the_number_with_its_backup(moving):
    gateway, upstream, data = moving
    caller = Graph(gateway)
    assert caller.add(NATIONAL)[0] == 200
    before = codes_sent(upstream)
    assert register(caller, data) == (200, {"success": True})
    assert platform(upstream) == platform(gateway) == ("CLOUD_API", "CONNECTED")
    assert codes_sent(upstream) == before and gateway.inbox(NUMBER) == []
    # The answer may have been lost: the same call again is as good.
    assert register(caller, data) == (200, {"success": True})
    assert gateway.upstream_number(NUMBER)["registered"] is True
    assert_nothing_is_readable(gateway, data[:40], PASSWORD)


def test_what_is_wrong_with_it_is_told_as_by_the_upstream_itself(moving):
    gateway, upstream, data = moving
    here, there = Graph(gateway), Graph(upstream)
    assert here.add(NATIONAL)[0] == 200
    damaged = data[:-8] + ("AAAAAAA=" if data[-1] == "=" else "AAAAAAAA")
    for wrong in [(data, "Another-1!"), (damaged, PASSWORD), ("AAAA", PASSWORD), (data, PASSWORD, "111111")]:
        told = register(here, *wrong)
        assert told == register(there, *wrong), wrong
        assert told[0] == 400, told
    assert platform(upstream) == ("ON_PREMISE", "CONNECTED")
    # Once the number was given up, the backup is void.
    assert upstream.admin("POST", f"/numbers/44{NATIONAL}/deregister").status_code in (200, 204)
    told = register(here, data)
    assert told == register(there, data)
    assert told[0] == 400 and "no longer exists" in told[1]["error"]["message"], told
    # A backup that nobody but Meta can open goes there, and its refusal comes back.
    assert register(here, OF_THE_ORIGINAL) == register(there, OF_THE_ORIGINAL)
    assert_nothing_is_readable(gateway, data[:40], PASSWORD, OF_THE_ORIGINAL)


def test_an_on_premises_program_restores_it_and_registers_without_a_code(moving):
    gateway, upstream, data = moving
    program, before = OnPremises(gateway), codes_sent(upstream)
    restored = program.call("POST", "/v1/settings/restore", {"password": PASSWORD, "data": data})
    assert restored[0] == 200, restored
    assert_nothing_is_readable(gateway, data[:40], PASSWORD)
    # Meta demands the PIN before anything else, and so is told here.
    missing = program.request_code(NATIONAL)
    assert missing[0] == 403 and missing[1]["errors"][0]["details"] == "Unknown error: security_code"
    status, body = program.request_code(NATIONAL, pin=PIN)
    assert status == 201, body
    assert codes_sent(upstream) == before
    assert platform(upstream) == ("CLOUD_API", "CONNECTED")
    assert gateway.upstream_number(NUMBER)["registered"] is True
    assert len(upstream.events("registered")) == 2
    assert_nothing_is_readable(gateway, data[:40], PASSWORD)


def test_one_that_is_void_is_told_once_and_then_a_code_is_sent(moving):
    gateway, upstream, data = moving
    assert upstream.admin("POST", f"/numbers/44{NATIONAL}/deregister").status_code in (200, 204)
    program, first = OnPremises(gateway), upstream.inbox(NUMBER)[0]["id"]
    assert program.call("POST", "/v1/settings/restore", {"password": PASSWORD, "data": data})[0] == 200
    status, body = program.request_code(NATIONAL, pin=PIN)
    assert status == 403, body
    assert body["errors"][0]["details"] == "Unknown error: backup_outdated"
    for server in (gateway, upstream):
        server.advance(61)
    assert program.request_code(NATIONAL, pin=PIN)[0] == 202
    code = upstream.next_code(NUMBER, after=first)[1]
    assert program.verify(NATIONAL, code)[0] == 201


def test_a_backup_that_was_made_here_moves_the_number_here(servers):
    """Of a client of the gateway: the registration there stays, under the PIN that the caller chose."""
    gateway, upstream = servers
    for server in servers:
        server.reset()
    gateway.forward("meta", upstream.url)
    program = OnPremises(gateway)
    assert program.request_code(NATIONAL)[0] == 202
    assert program.verify(NATIONAL, upstream.next_code(NUMBER)[1])[0] == 201
    data, caller = backup_of(program), Graph(gateway)
    refused = register(caller, data, "Another-1!")
    assert refused[0] == 400 and "cannot be opened" in refused[1]["error"]["message"], refused
    assert register(caller, data, pin="135791") == (200, {"success": True})
    assert platform(gateway) == platform(upstream) == ("CLOUD_API", "CONNECTED")
    assert caller.register(NATIONAL, "111111")[1]["error"]["code"] == 133005
    assert caller.register(NATIONAL, "135791") == (200, {"success": True})
    # It is the one in force there.
    assert Graph(upstream).register(NATIONAL, "135791") == (200, {"success": True})
