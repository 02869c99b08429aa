"""Rollcall processes: an upstream that makes codes, and gateways in front of it."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("ROLLCALL_BIN", ROOT / "target" / "debug" / "rollcall"))

KEY_ID, KEY_SECRET = "LTAI5tFakeAccessKeyId001", "FakeAccessKeySecretForTests0001"
TOKEN = "EAAtest0001"
WABA, SPACE = "102290129340398", "cams-test01"
PASSWORD, SECOND = "First-client-1!", "Second-client-1!"

# One account that callers of all three dialects act in; the same for upstreams and gateways.
SEED = f"""
[[account]]
name = "default"
  [[account.access_key]]
  id = "{KEY_ID}"
  secret = "{KEY_SECRET}"
  [[account.graph_token]]
  token = "{TOKEN}"
  [[account.space]]
  cust_space_id = "{SPACE}"
    [[account.space.waba]]
    id = "{WABA}"
    name = "Test"
  [[account.client]]
  name = "first"
  waba = "{WABA}"
  admin_password = "{PASSWORD}"
  [[account.client]]
  name = "second"
  waba = "{WABA}"
  admin_password = "{SECOND}"
"""


class Rollcall:
    """A `rollcall serve` process on any free port."""

    def __init__(self, extra=(), environment=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-upstream-"))
        (self.folder / "seed.toml").write_text(SEED)
        self.extra, self.environment = list(extra), environment or {}
        self.start()

    def start(self):
        command = [
            str(BINARY), "serve", "--data", str(self.folder / "data"), "--listen", "127.0.0.1:0",
            "--seed", str(self.folder / "seed.toml"), *self.extra,
        ]
        self.log = open(self.folder / "server.log", "a", encoding="utf-8")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=os.environ | self.environment,
        )
        timer = threading.Timer(120, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                match = re.match(r"listening on (http://\S+)", line)
                if match:
                    self.url = match.group(1)
                    break
            else:
                raise RuntimeError((self.folder / "server.log").read_text())
        finally:
            timer.cancel()
        self.token = (self.folder / "data" / "operator.token").read_text().strip()

    def kill(self):
        """As a crash does it."""
        self.process.kill()
        self.process.wait(timeout=120)
        self.process.stdout.close()
        self.log.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=120)
            self.process.stdout.close()
            self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def admin(self, method, path, body=None, status=None):
        reply = requests.request(
            method, self.url + "/admin/v1" + path, json=body, timeout=120,
            headers={"Authorization": "Bearer " + self.token},
        )
        if status is not None:
            assert reply.status_code == status, reply.text
        return reply

    def get(self, path):
        reply = requests.get(self.url + path, timeout=120)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def forward(self, registrar, base_url):
        """Makes the Rollcall at `base_url` the authority for the WABA."""
        if registrar == "meta":
            body = {"registrar": "meta", "base_url": base_url, "token": TOKEN}
        else:
            body = {
                "registrar": "alibaba", "base_url": base_url, "remote_id": SPACE,
                "access_key_id": KEY_ID, "access_key_secret": KEY_SECRET,
            }
        self.admin("PUT", f"/wabas/{WABA}/upstream", body, status=200)

    def reset(self):
        reply = requests.post(self.url + "/sandbox/v1/reset", json={}, timeout=120)
        assert reply.status_code in (200, 204), reply.text

    def freeze(self):
        reply = requests.post(self.url + "/sandbox/v1/clock", json={"freeze": True}, timeout=120)
        assert reply.status_code == 200, reply.text

    def turn_to(self, moment):
        reply = requests.post(self.url + "/sandbox/v1/clock", json={"set": moment}, timeout=120)
        assert reply.status_code == 200, reply.text

    def now(self):
        return requests.get(self.url + "/sandbox/v1/clock", timeout=120).json()["now"]

    def advance(self, seconds):
        reply = requests.post(
            self.url + "/sandbox/v1/clock", json={"advance_seconds": seconds}, timeout=120)
        assert reply.status_code == 200, reply.text

    def inbox(self, number):
        reply = requests.get(
            self.url + "/sandbox/v1/inbox", params={"number": number, "limit": 50}, timeout=120)
        assert reply.status_code == 200, reply.text
        return reply.json()["messages"]

    def next_code(self, number, after=None):
        """The next message's id and code; the first one without `after`."""
        query = {"number": number, "timeout": "60s"} | ({"after": after} if after else {})
        reply = requests.get(self.url + "/sandbox/v1/inbox/wait", params=query, timeout=120)
        assert reply.status_code == 200, reply.text
        return reply.json()["id"], reply.json()["code"]

    def events(self, kind=None):
        """The whole audit trail, oldest first."""
        events, after = [], None
        while True:
            query = "/audit?limit=200" + (f"&after={after}" if after else "")
            page = self.admin("GET", query, status=200).json()
            events += page["items"]
            after = page.get("next")
            if not after:
                break
        return [event for event in events if kind is None or event["kind"] == kind]

    def upstream_number(self, number):
        page = self.admin("GET", f"/wabas/{WABA}/upstream/numbers", status=200).json()
        (found,) = [it for it in page["items"] if it["number"] == number]
        return found


def compact(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
