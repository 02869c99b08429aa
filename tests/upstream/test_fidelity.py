"""`rollcall fidelity`: what a registrar upstream answers is recorded without secrets, and replayed against the
embedded one."""

import json
import os
import re
import signal
import subprocess

import pytest

from callers import Graph, OnPremises
from prism import Prism
from rollcalls import BINARY, KEY_ID, KEY_SECRET, SPACE, TOKEN, WABA, Rollcall

PIN = "024680"


class Recorder:
    """`rollcall fidelity record` in front of a registrar."""

    def __init__(self, url, file):
        command = [
            str(BINARY), "fidelity", "record", "--to", url, "--listen", "127.0.0.1:0", "--out", str(file)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = re.match(r"listening on (http://\S+)", self.process.stdout.readline()).group(1)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=120) == 0
        self.process.stdout.close()


def diff(file):
    """The exit code, the table, and the same for programs."""
    shown = subprocess.run(
        [str(BINARY), "fidelity", "diff", str(file)], capture_output=True, text=True, timeout=120)
    told = subprocess.run(
        [str(BINARY), "fidelity", "diff", str(file), "--json"], capture_output=True, text=True, timeout=120)
    assert shown.returncode == told.returncode, shown.stderr + told.stderr
    return shown.returncode, shown.stdout + shown.stderr, json.loads(told.stdout)["endpoints"]


@pytest.fixture(scope="module")
def servers():
    gateway, upstream = Rollcall(), Rollcall()
    yield gateway, upstream
    gateway.stop()
    upstream.stop()


def recorded(registrar, servers, file):
    """An On-Premises program registers a number through a gateway, with what goes wrong on the way."""
    gateway, upstream = servers
    for server in servers:
        server.reset()
    recorder = Recorder(upstream.url, file)
    try:
        gateway.forward(registrar, recorder.url)
        caller = OnPremises(gateway)
        assert caller.request_code("7700900123")[0] == 202
        _, code = upstream.next_code("+447700900123")
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        assert caller.verify(None, wrong)[0] == 403
        assert caller.verify(None, code)[0] == 201
        assert caller.call("POST", "/v1/settings/account/two-step", {"pin": PIN})[0] == 200
        assert gateway.admin("POST", f"/wabas/{WABA}/upstream/compare").status_code == 200
        assert gateway.admin("POST", "/numbers/447700900123/deregister").status_code in (200, 204)
    finally:
        recorder.stop()
    return code, wrong


@pytest.mark.parametrize("registrar", ["meta", "alibaba"])
def test_a_rollcall_upstream_answers_as_the_embedded_registrar_does(servers, registrar, tmp_path):
    file = tmp_path / "record.jsonl"
    code, wrong = recorded(registrar, servers, file)
    text = file.read_text()
    for secret in (code, wrong, PIN, TOKEN, KEY_ID, KEY_SECRET, SPACE, WABA, "7700900123", "Lucky Shrub"):
        assert secret not in text, secret
    assert file.stat().st_mode & 0o777 == 0o600
    exit_code, shown, endpoints = diff(file)
    assert (exit_code, [it for it in endpoints if it["differences"]]) == (0, []), shown
    replayed = {it["endpoint"]: it["replayed"] for it in endpoints}
    assert sum(it["left_out"] for it in endpoints) == 0, shown
    wanted = {
        "meta": {"GET /{id}/phone_numbers", "POST /{id}/phone_numbers", "POST /{id}/request_code",
                 "POST /{id}/verify_code", "POST /{id}/register", "POST /{id}", "POST /{id}/deregister"},
        "alibaba": {"QueryChatappPhoneNumbers", "AddChatappPhoneNumber", "GetChatappVerifyCode",
                    "ChatappVerifyAndRegister", "ChatappPhoneNumberDeregister"},
    }[registrar]
    assert wanted == set(replayed), shown
    assert "the same" in shown and "0 differences" in shown


def test_what_differs_is_told_by_endpoint(servers, tmp_path):
    """A record in which the registrar answered otherwise: another status, code, field and type."""
    _, upstream = servers
    upstream.reset()
    file = tmp_path / "record.jsonl"
    recorder = Recorder(upstream.url, file)
    try:
        caller = Graph(type("Recorded", (), {"url": recorder.url}))
        assert caller.add("7700900124")[0] == 200
        assert caller.request_code("7700900124")[0] == 200
        wrong = f"{(int(upstream.next_code('+447700900124')[1]) + 1) % 1_000_000:06}"
        assert caller.verify("7700900124", wrong)[0] == 400
    finally:
        recorder.stop()
    assert diff(file)[0] == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if line["target"].endswith("/phone_numbers") and line["method"] == "POST":
            line["answer"] |= {"older": True, "id": line["answer"]["id"]}
        if line["target"].endswith("/request_code"):
            line["answer"]["success"] = "true"
        if line["target"].endswith("/verify_code"):
            line["status"], line["answer"]["error"]["code"] = 403, 7
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    exit_code, shown, endpoints = diff(file)
    found = {
        (it["endpoint"], difference["what"], difference["field"])
        for it in endpoints for difference in it["differences"]}
    assert exit_code == 1
    assert found == {
        ("POST /{id}/phone_numbers", "missing", "older"),
        ("POST /{id}/request_code", "type", "success"),
        ("POST /{id}/verify_code", "status", ""),
        ("POST /{id}/verify_code", "code", "error.code"),
    }, shown
    assert "missing older" in shown and "4 differences" in shown


def test_examples_of_the_published_description_are_compared_too(servers, tmp_path):
    """Prism keeps no state and answers with examples: what differs is told, and nothing breaks."""
    gateway, _ = servers
    gateway.reset()
    prism = Prism()
    file = tmp_path / "meta.jsonl"
    recorder = Recorder(prism.url, file)
    try:
        gateway.forward("meta", recorder.url)
        caller = OnPremises(gateway)
        assert caller.request_code("7700900123")[0] == 202
        assert caller.verify(None, "123456")[0] == 201
    finally:
        recorder.stop()
        prism.stop()
    exit_code, shown, endpoints = diff(file)
    by_endpoint = {it["endpoint"]: it for it in endpoints}
    assert all(by_endpoint[f"POST /{{id}}/{edge}"]["replayed"] == 1 for edge in ("request_code", "register")), shown
    # The example of a list shows fields that were not asked for.
    fields = {it["field"] for it in by_endpoint["GET /{id}/phone_numbers"]["differences"]}
    assert exit_code == 1 and "data[].country_dial_code" in fields, shown


def test_a_recorder_listens_on_this_machine_only(tmp_path):
    refused = subprocess.run(
        [str(BINARY), "fidelity", "record", "--to", "https://graph.facebook.com", "--listen", "0.0.0.0:0",
         "--out", str(tmp_path / "x")], capture_output=True, text=True, timeout=120, env=os.environ)
    assert refused.returncode == 1 and "this machine" in refused.stderr
