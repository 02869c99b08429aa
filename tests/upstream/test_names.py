"""Another display name, asked for by a program of the Cloud API, is asked for at Meta's side: once, whatever breaks on the way."""

import json
import time

import pytest

from callers import Graph
from faults import Proxy
from rollcalls import Rollcall

# As in the tests of faults: longer than any call takes on a busy machine.
SETTINGS = '[upstream]\nconnect_timeout = "5s"\ncall_timeout = "2s"\n'
NUMBER, NAME, PIN = "7700900131", "Jasper\u2019s Market", "123456"
REFUSED = {"error": {
    "message": "Invalid parameter", "type": "OAuthException", "code": 100, "error_subcode": 2388002,
    "error_user_msg": "This name was asked for too often.", "fbtrace_id": "AXsgnV2Cm3ZMGF3dF_cfYIn"}}


class Names(Proxy):
    """Refuses to change names while it is told to."""

    refuses = False

    def forward(self, handler, body):
        if self.refuses and handler.command == "POST" and b"new_display_name" in body:
            return 400, [("content-type", "application/json")], json.dumps(REFUSED).encode()
        return super().forward(handler, body)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    file = tmp_path_factory.mktemp("settings") / "rollcall.toml"
    file.write_text(SETTINGS)
    gateway, upstream = Rollcall(["--config", str(file)]), Rollcall()
    yield gateway, upstream
    gateway.stop()
    upstream.stop()


@pytest.fixture
def world(servers):
    """A number that is registered through the gateway."""
    gateway, upstream = servers
    for server in servers:
        server.reset()
        server.freeze()
    upstream.turn_to(gateway.now())
    proxy = Names(upstream.url)
    gateway.forward("meta", proxy.url)
    program = Graph(gateway)
    program.prove("44", NUMBER, lambda: upstream.next_code("+44" + NUMBER)[1])
    assert program.register(NUMBER, PIN)[0] == 200
    yield gateway, upstream, proxy, program
    proxy.stop()


def rename(program):
    return program.call("POST", program.id(NUMBER), {"new_display_name": NAME})


def names_there(upstream):
    there = Graph(upstream)
    _, node = there.call(
        "GET", there.id(NUMBER), query={"fields": "verified_name,new_display_name,new_name_status"})
    return node


def submitted(upstream):
    """How often the name was asked for; a sandbox approves it at once. The same name again would be no event there, so the
    requests tell too."""
    return sum(NAME in json.dumps(it, ensure_ascii=False) for it in upstream.events("name_approved"))


def test_a_new_name_is_looked_at_upstream_and_put_in_force_by_a_registration(world):
    _, upstream, _, program = world
    assert rename(program) == (200, {"success": True})
    there = names_there(upstream)
    assert (there["verified_name"], there["new_display_name"]) == ("Lucky Shrub", NAME)
    # The same again starts no other review.
    assert rename(program) == (200, {"success": True})
    assert submitted(upstream) == 1
    assert program.register(NUMBER, PIN)[0] == 200
    assert names_there(upstream)["verified_name"] == NAME


def test_what_is_refused_upstream_is_told_and_changes_nothing(world):
    gateway, upstream, proxy, program = world
    proxy.refuses = True
    status, body = rename(program)
    assert status == 400
    assert (body["error"]["code"], body["error"]["error_subcode"]) == (100, 2388002)
    (event,) = [it for it in gateway.events("upstream_called") if it["details"]["operation"] == "change_name"]
    assert event["details"]["outcome"] == "refused"
    _, node = program.call("GET", program.id(NUMBER), query={"fields": "verified_name"})
    assert node["verified_name"] == "Lucky Shrub"
    assert submitted(upstream) == 0


@pytest.mark.parametrize("fault", ["503", "500", "slow", "cut", "lost", "close", "refused"])
def test_trouble_on_the_way_ends_in_one_review(world, fault):
    gateway, upstream, proxy, program = world
    target = "POST /v25.0/" + Graph(upstream).id(NUMBER) + " "
    proxy.arm(fault, target)
    for _ in range(8):
        status, body = rename(program)
        if status == 200:
            break
        assert status == 503, body
        time.sleep(0.2)
        for server in (gateway, upstream):
            server.advance(16)
    assert (status, submitted(upstream)) == (200, 1)
    assert proxy.carried_out(target) == 1, "asked for twice"
    assert names_there(upstream)["new_display_name"] == NAME


def test_alibaba_has_no_such_call(servers):
    gateway, upstream = servers
    for server in servers:
        server.reset()
        server.freeze()
    upstream.turn_to(gateway.now())
    gateway.forward("alibaba", upstream.url)
    program = Graph(gateway)
    assert program.add(NUMBER)[0] == 200
    assert rename(program) == (200, {"success": True})
    assert submitted(upstream) == 0
