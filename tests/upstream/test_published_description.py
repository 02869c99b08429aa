"""Requests to Meta are those of its published description.

Prism serves `cloud-api-openapi.json` (Meta's own, MIT; see its `info`) and answers what that does not allow with
the errors it describes. It keeps no state: every answer is an example, so what is tested here is the form of
what we send. (Some of the examples break the description themselves; that is not counted.)
"""

import pathlib
import socket
import subprocess
import threading
import time

import pytest
import requests

from callers import Cams, OnPremises
from rollcalls import ROOT, Rollcall

PRISM = ROOT / "target" / "upstream-node" / "node_modules" / ".bin" / "prism"
DESCRIPTION = pathlib.Path(__file__).parent / "cloud-api-openapi.json"


class Prism:
    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url, self.lines, self.marks = f"http://127.0.0.1:{port}", [], 0
        command = [
            str(PRISM), "mock", "--host", "127.0.0.1", "--port", str(port),
            str(DESCRIPTION),
        ]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.ready = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()
        assert self.ready.wait(90), "\n".join(self.lines)

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if "Prism is listening" in line:
                self.ready.set()

    def violations(self):
        """What Prism complained of so far. It answers before it writes, so its own word for a marked request is awaited."""
        self.marks += 1
        marker = f"/mark-{self.marks}"
        requests.get(self.url + marker, timeout=30)
        deadline = time.monotonic() + 30
        while not any(marker in line for line in list(self.lines)):
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.02)
        return [line for line in list(self.lines) if "Violation: request" in line]


@pytest.fixture(scope="module")
def prism():
    started = Prism()
    yield started
    started.process.terminate()
    started.process.wait(timeout=30)


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
        prism.url + "/v25.0/106540352242922/verify_code", json={"code": "12345"}, timeout=30,
        headers={"Authorization": "Bearer EAAtest"})
    assert reply.status_code in (400, 422)
    assert prism.violations() != []
