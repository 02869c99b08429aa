"""What Meta posts on its own (a number was banned, its name declined) is noticed within seconds, and shown.

The posts are made and signed here, by Meta's documentation of webhooks: `X-Hub-Signature-256` is the HMAC-SHA-256 of
the body as it is sent, with the app's secret.
"""

import hashlib
import hmac
import json
import subprocess
import time

import pytest
import requests

from callers import Graph, OnPremises
from rollcalls import BINARY, TOKEN, WABA, Rollcall

APP_SECRET = "0123456789abcdef0123456789abcdef"
NUMBER = "7700900150"
# Slow looks are out of the way: what is noticed is noticed because it was told.
SETTINGS = '[upstream]\ncompare_every = "1h"\n'


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    file = tmp_path_factory.mktemp("settings") / "rollcall.toml"
    file.write_text(SETTINGS)
    return str(file)


@pytest.fixture(scope="module")
def world(settings):
    gateway, upstream = Rollcall(["--config", settings]), Rollcall()
    body = {"registrar": "meta", "base_url": upstream.url, "token": TOKEN, "app_secret": APP_SECRET}
    gateway.admin("PUT", f"/wabas/{WABA}/upstream", body, status=200)
    yield gateway, upstream
    gateway.stop()
    upstream.stop()


def webhook(gateway):
    """Address and verify token, as the operator sees them."""
    shown = gateway.admin("GET", f"/wabas/{WABA}/upstream", status=200).json()["webhook"]
    assert shown["callback_url"].endswith(f"/upstream/v1/{WABA}/webhook")
    return f"{gateway.url}/upstream/v1/{WABA}/webhook", shown["verify_token"]


def post(url, change, secret=APP_SECRET, spoil=b""):
    body = json.dumps({"object": "whatsapp_business_account", "entry": [
        {"id": WABA, "time": 1739321024, "changes": [change]}]}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": "sha256=" + signature, "Content-Type": "application/json"}
    return requests.post(url, data=body + spoil, headers=headers, timeout=120)


BANNED = {"field": "account_update", "value": {
    "phone_number": "447700900150", "event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE"}}}


def test_the_handshake_is_answered_to_who_knows_the_token(world):
    gateway, _ = world
    url, token = webhook(gateway)
    asked = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1158201444"}
    reply = requests.get(url, params=asked, timeout=120)
    assert (reply.status_code, reply.text) == (200, "1158201444")
    for wrong in ({"hub.verify_token": token[:-1]}, {"hub.mode": "unsubscribe"}, {"hub.verify_token": ""}):
        assert requests.get(url, params=asked | wrong, timeout=120).status_code == 403
    elsewhere = url.replace(WABA, "102290129340399")
    assert requests.get(elsewhere, params=asked, timeout=120).status_code == 403


def test_what_is_told_is_looked_up_and_shown(world):
    gateway, upstream = world
    url, _ = webhook(gateway)
    caller = OnPremises(gateway)
    assert caller.request_code(NUMBER)[0] == 202
    assert caller.verify(NUMBER, upstream.next_code("+44" + NUMBER)[1])[0] == 201
    assert upstream.admin("POST", f"/numbers/44{NUMBER}/deregister").status_code in (200, 204)

    # Strangers tell nothing.
    for refused in (post(url, BANNED, secret="another"), post(url, BANNED, spoil=b" ")):
        assert refused.status_code == 403
    assert requests.post(url, data=b"{}", timeout=120).status_code == 403
    time.sleep(1.5)
    assert gateway.upstream_number("+44" + NUMBER)["drift"] is None

    assert post(url, BANNED).status_code == 200
    deadline = time.monotonic() + 120
    while gateway.upstream_number("+44" + NUMBER)["drift"] is None:
        assert time.monotonic() < deadline, "it was not noticed"
        time.sleep(0.1)
    assert len(gateway.events("upstream_drift")) == 1
    (shown,) = gateway.admin("GET", f"/numbers/44{NUMBER}", status=200).json()["upstream"]
    assert shown["waba"] == WABA and shown["drift"].startswith("registered here; upstream it is not")
    told = subprocess.run(
        [str(BINARY), "numbers", "show", "+44" + NUMBER, "--data", str(gateway.folder / "data"),
         "--server", gateway.url], capture_output=True, text=True, timeout=120)
    assert "differs: registered here; upstream it is not" in told.stdout, told.stdout + told.stderr


def test_without_the_apps_secret_nothing_is_taken(world):
    gateway, upstream = world
    url, token = webhook(gateway)
    body = {"registrar": "meta", "base_url": upstream.url, "token": TOKEN}
    gateway.admin("PUT", f"/wabas/{WABA}/upstream", body, status=200)
    asked = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1"}
    assert requests.get(url, params=asked, timeout=120).status_code == 403
    assert post(url, BANNED, secret="").status_code == 403


def seen_within(seconds, holds):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it was not noticed"
        time.sleep(0.1)


def drift(gateway):
    return gateway.upstream_number("+44" + NUMBER)["drift"]


def test_what_a_cloud_api_posts_itself_is_taken_in(settings):
    """A second Rollcall in Meta's place: it asks for the challenge, signs with the app's secret, and posts what happens to
    the number. What is posted about PINs (`security`) is noticed as what is posted about accounts is."""
    gateway, upstream = Rollcall(["--config", settings]), Rollcall()
    try:
        body = {"registrar": "meta", "base_url": upstream.url, "token": TOKEN, "app_secret": APP_SECRET}
        gateway.admin("PUT", f"/wabas/{WABA}/upstream", body, status=200)
        url, token = webhook(gateway)
        there = Graph(upstream)
        app = there.call("GET", "debug_token", query={"input_token": TOKEN})[1]["data"]["app_id"]
        wanted = {"object": "whatsapp_business_account", "callback_url": url, "verify_token": token,
                  "fields": "account_update,security"}
        refused = there.call("POST", app + "/subscriptions", wanted | {"verify_token": "another"})
        assert refused[0] == 400 and refused[1]["error"]["code"] == 2200, refused
        assert there.call("POST", app + "/subscriptions", wanted) == (200, {"success": True})
        secret = upstream.admin("GET", "/webhooks/graph/account/default/secret", status=200).json()["secret"]
        gateway.admin("PUT", f"/wabas/{WABA}/upstream", body | {"app_secret": secret}, status=200)
        assert there.call("POST", WABA + "/subscribed_apps") == (200, {"success": True})

        caller = OnPremises(gateway)
        assert caller.request_code(NUMBER)[0] == 202
        assert caller.verify(NUMBER, upstream.next_code("+44" + NUMBER)[1])[0] == 201
        assert caller.set_pin(NUMBER, "024680")[0] == 200
        # Somebody follows the link that switches two-step verification off, and then sets a PIN of his own.
        assert upstream.admin("DELETE", f"/numbers/44{NUMBER}/two-step").status_code in (200, 204)
        seen_within(20, lambda: drift(gateway) == "two-step verification is on here; upstream it is off")
        changed = upstream.admin("PUT", f"/numbers/44{NUMBER}/two-step", {"pin": "135791"})
        assert changed.status_code in (200, 204), changed.text
        seen_within(20, lambda: drift(gateway) is None)
        # It is given up there.
        assert upstream.admin("POST", f"/numbers/44{NUMBER}/deregister").status_code in (200, 204)
        seen_within(20, lambda: (drift(gateway) or "").startswith("registered here; upstream it is not"))
        kinds = [event["kind"] for event in gateway.events() if event["kind"].startswith("upstream_")]
        assert kinds.count("upstream_drift") == 2 and kinds.count("upstream_agrees") == 1
    finally:
        gateway.stop()
        upstream.stop()
