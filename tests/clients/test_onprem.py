"""A program for the retired On-Premises client, pointed at Rollcall by its base URL alone.

Written from the On-Premises reference; it knows nothing of Rollcall but the sandbox inbox, from which it
reads the code as a person would read it from the telephone.
"""

import re
from datetime import datetime

import pytest
import requests

from certificate import certificate

SEED = """
[[account]]
name = "default"
  [[account.client]]
  name = "second"
  admin_password = "Second-client-1!"
"""
PASSWORD = "First-client-1!"
NAME = "Lucky Shrub"


class OnPremises:
    """What such programs do: log in, keep the token, post JSON, raise on any failure."""

    def __init__(self, base):
        self.base = base
        self.session = requests.Session()

    def login(self, user, password, **body):
        reply = self.session.post(
            self.base + "/v1/users/login", auth=(user, password), json=body or None, timeout=120
        )
        reply.raise_for_status()
        (entry,) = reply.json()["users"]
        datetime.strptime(entry["expires_after"], "%Y-%m-%d %H:%M:%S%z")
        self.session.headers["Authorization"] = "Bearer " + entry["token"]
        return entry

    def call(self, method, path, body=None):
        return self.session.request(method, self.base + path, json=body, timeout=120)

    def request_code(self, cc, number, method="sms", **more):
        body = {"cc": cc, "phone_number": number, "method": method, "cert": certificate(NAME)}
        return self.call("POST", "/v1/account", body | more)

    def health(self):
        reply = self.call("GET", "/v1/health")
        return reply.status_code, reply.json()


@pytest.fixture(scope="module")
def server(serve):
    return serve(seed=SEED)


def wait_for_code(server, number, after=None):
    query = {"number": number, "timeout": "60s"} | ({"after": after} if after else {})
    reply = requests.get(server.url + "/sandbox/v1/inbox/wait", params=query, timeout=120)
    assert reply.status_code == 200, reply.text
    return reply.json()


def refusal(reply):
    """Status, code, title and details of a refusal; the envelope always has `meta`."""
    body = reply.json()
    (error,) = body["errors"]
    assert set(body["meta"]) == {"api_status", "version"}
    return reply.status_code, error["code"], error["title"], error["details"]


def until_healthy(client):
    """Coreapp restarts after a move and answers 1011 meanwhile; a program asks again."""
    import time

    for _ in range(600):
        status, body = client.health()
        if status == 200:
            return body["health"]["gateway_status"]
        assert body["errors"][0]["code"] == 1011
        time.sleep(0.1)
    raise AssertionError("Coreapp did not come back")


def test_a_number_is_registered_protected_and_moved(server):
    client = OnPremises(server.url)

    # First login: the factory password must be replaced.
    with pytest.raises(requests.HTTPError) as refused:
        client.login("admin", "secret")
    assert refusal(refused.value.response) == (
        401, 1024, "Password change required", "Password must be changed")
    client.login("admin", "secret", new_password=PASSWORD)
    assert client.health()[1]["health"] == {"gateway_status": "unregistered"}

    # The number is new: a code is on its way.
    cc, national, number = "49", "15228817386", "+4915228817386"
    reply = client.request_code(cc, national)
    assert reply.status_code == 202, reply.text
    assert reply.json()["account"][0]["vname"] == NAME
    message = wait_for_code(server, number)
    assert message["channel"] == "sms"
    shown = re.search(r"\b\d{3}-\d{3}\b", message["text"]).group()
    assert shown.replace("-", "") == message["code"]

    # Too soon for another one, and a wrong code is a wrong code.
    status, code, title, details = refusal(client.request_code(cc, national))
    assert (status, code, title) == (403, 1005, "Access denied")
    assert re.fullmatch(r"Please wait 0 hour\(s\) 1 minute\(s\) before trying again", details)
    wrong = f"{(int(message['code']) + 1) % 1_000_000:06}"
    assert refusal(client.call("POST", "/v1/account/verify", {"code": wrong})) == (
        403, 1005, "Access denied", "Error checking code (mismatch)")

    # The code as people paste it.
    reply = client.call("POST", "/v1/account/verify", {"code": shown})
    assert reply.status_code == 201, reply.text
    assert set(reply.json()) == {"meta"}
    assert until_healthy(client) in ("connecting", "connected")
    assert refusal(client.call("POST", "/v1/account/verify", {"code": shown}))[3] == (
        "Error checking code (missing)")

    # Two-step verification: every registration now needs the PIN.
    assert client.call("POST", "/v1/settings/account/two-step", {"pin": "024680"}).status_code == 200
    for pin, reason in [({}, "security_code"), ({"pin": ""}, "security_code"),
                        ({"pin": None}, "security_code"), ({"pin": "111111"}, "mismatch")]:
        assert refusal(client.request_code(cc, national, **pin)) == (
            403, 1005, "Access denied", f"Unknown error: {reason}")
    reply = client.request_code(cc, national, pin="024680")
    assert reply.status_code == 201, reply.text
    assert reply.json()["account"][0]["vname"] == NAME

    # Backup, and restore on a second client: a wrong password or a damaged text changes nothing.
    reply = client.call("POST", "/v1/settings/backup", {"password": "Backup-1!"})
    assert reply.status_code == 200, reply.text
    data = reply.json()["settings"]["data"]
    second = OnPremises(server.url + "/clients/second")
    second.login("admin", "Second-client-1!")
    damaged = data[:40] + ("A" if data[40] != "A" else "B") + data[41:]
    for body in [{"password": "Backup-2!", "data": data}, {"password": "Backup-1!", "data": damaged}]:
        assert second.call("POST", "/v1/settings/restore", body).status_code == 403
        assert until_healthy(second) == "unregistered"
    reply = second.call("POST", "/v1/settings/restore", {"password": "Backup-1!", "data": data})
    assert reply.status_code == 200, reply.text
    assert until_healthy(second) in ("connecting", "connected")
    assert until_healthy(client) == "unregistered"

    # The second client holds the number now, and nobody else does.
    assert second.request_code(cc, national, pin="024680").status_code == 201
    assert refusal(client.request_code(cc, national, pin="024680"))[:3] == (403, 1005, "Access denied")


def test_an_ordinary_user_may_not_register(server):
    admin = OnPremises(server.url + "/clients/second")
    admin.login("admin", "Second-client-1!")
    created = admin.call("POST", "/v1/users", {"username": "reader", "password": "Reader-one-1!"})
    assert created.status_code == 201, created.text
    reader = OnPremises(server.url + "/clients/second")
    reader.login("reader", "Reader-one-1!")
    assert refusal(reader.request_code("49", "15228817386")) == (
        403, 1005, "Access denied", "User doesn't have permission")
    assert reader.call("POST", "/v1/users/logout").status_code == 200
    assert reader.call("GET", "/v1/health").status_code == 401


def test_a_landline_is_called_and_not_texted(server):
    client = OnPremises(server.url)
    client.login("admin", PASSWORD)
    reply = client.request_code("49", "3023125001")
    assert refusal(reply) == (403, 1005, "Access denied", "Unknown error: no_routes")
    assert client.request_code("49", "3023125001", method="voice").status_code == 202
    message = wait_for_code(server, "+493023125001")
    assert message["channel"] == "voice"
