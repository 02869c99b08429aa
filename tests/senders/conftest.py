"""Real counterparts of the senders: each on loopback, on any free port, stopped by its own handle."""

import http.server
import json
import os
import pathlib
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import pytest
import requests

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from ports import free_port  # noqa: E402

ROOT = HERE.parents[1]
BINARY = pathlib.Path(os.environ.get("ROLLCALL_BIN", ROOT / "target" / "debug" / "rollcall"))
MODULES = ROOT / "target" / "senders-node" / "node_modules"
# Longer than anything takes, also where the machine is busy with other things.
PATIENCE = 120


def eventually(what, look, patience=PATIENCE):
    """The first result of `look` that counts."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it never happened: " + what)


class Server:
    """`rollcall serve` with a configuration, in production unless told."""

    def __init__(self, folder, config, listen="127.0.0.1:0", mode="production"):
        self.folder, self.listen, self.mode = folder, listen, mode
        (folder / "rollcall.toml").write_text(config)
        said = self._start()
        # A sandbox has the password that the reference names.
        given = re.search(r"[0-9a-f]{16}-Aa1", said)
        self.first_password = given.group() if given else "secret"
        token = (folder / "data" / "operator.token").read_text().strip()
        self.admin = requests.Session()
        self.admin.headers["Authorization"] = "Bearer " + token

    def _start(self):
        self.log = open(self.folder / "server.log", "a", encoding="utf-8")
        self.process = subprocess.Popen(
            [str(BINARY), "serve", "--mode", self.mode, "--data", str(self.folder / "data"),
             "--listen", self.listen, "--config", str(self.folder / "rollcall.toml")],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("listening on "):
                self.url = line.split()[-1]
                break
        else:
            raise AssertionError("it did not start: " + self.log_text())
        return "".join(said)

    def restart(self):
        assert self.stop() == 0, self.log_text()
        self._start()

    def log_text(self):
        return (self.folder / "server.log").read_text()

    def get(self, path, **query):
        reply = self.admin.get(self.url + "/admin/v1" + path, params=query, timeout=PATIENCE)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def post(self, path, body):
        reply = self.admin.post(self.url + "/admin/v1" + path, json=body, timeout=PATIENCE)
        assert reply.status_code in (200, 201), reply.text
        return reply.json()

    def sends(self, number):
        return self.get("/sends", number=number)["items"]

    def send_in(self, number, state):
        """The newest send to `number` once it is in this state."""
        def look():
            sends = self.sends(number)
            return sends[0] if sends and sends[0]["state"] == state else None
        try:
            return eventually(f"a send that is {state}", look)
        except AssertionError:
            raise AssertionError(f"not {state}: {self.sends(number)}\n{self.log_text()}") from None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()
        self.log.close()
        return code


@pytest.fixture
def serve():
    """Starts servers; each must end in good order, with no code in its log."""
    servers = []
    with tempfile.TemporaryDirectory(prefix="rollcall-senders-") as folder:
        def start(config, **more):
            place = pathlib.Path(folder) / str(len(servers))
            place.mkdir()
            server = Server(place, config, **more)
            servers.append(server)
            return server

        yield start
        for server in servers:
            if server.process.poll() is None:
                assert server.stop() == 0, server.log_text()


class Smsc:
    """smsc.js as a process."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["node", str(HERE / "smsc.js"), str(free_port())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "NODE_PATH": str(MODULES)},
        )
        self.said, self.news = [], queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = self.wait_for("listening")

    def _read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            self.said.append(said)
            self.news.put(said)

    def wait_for(self, key, fits=lambda value: True):
        """The next thing of this kind that fits, what came before included."""
        end = time.monotonic() + PATIENCE
        while True:
            said = self.news.get(timeout=max(0.01, end - time.monotonic()))
            if key in said and fits(said[key]):
                return said[key]

    def order(self, **what):
        def taken():
            return sum("ordered" in said for said in list(self.said))

        before = taken()
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        eventually("the order is taken", lambda: taken() > before)

    def submits(self, number):
        to = number.lstrip("+")
        return [it["submit"] for it in list(self.said) if it.get("submit", {}).get("to") == to]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()


@pytest.fixture
def smsc():
    centre = Smsc()
    yield centre
    centre.stop()


class Provider:
    """An HTTP provider: writes down what it is asked and answers as it is told, or asks somebody else."""

    def __init__(self, forward_to=None):
        self.asked, self.answers, self.forward_to = [], [], forward_to
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                provider.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                answer = provider.answers.pop(0) if provider.answers else None
                if callable(answer):
                    return answer(self)
                if answer is None:
                    answer = provider.usual(self.path, self.headers, body)
                self.give(*answer)

            do_GET = do_POST

            def give(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def usual(self, path, headers, body):
        if not self.forward_to:
            return 201, {"Content-Type": "application/json"}, b'{"id":"m%d"}' % len(self.asked)
        kept = {k: v for k, v in headers.items() if k.lower() not in ("host", "content-length")}
        asked = urllib.request.Request(self.forward_to + path, data=body, headers=kept, method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as reply:
                return reply.status, {"Content-Type": reply.headers["Content-Type"]}, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, {"Content-Type": error.headers["Content-Type"]}, error.read()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def provider():
    here = Provider()
    yield here
    here.stop()


@pytest.fixture(scope="session")
def prism():
    """Twilio's own API description, served by a mock that refuses what does not fit it."""
    port = free_port()
    process = subprocess.Popen(
        [str(MODULES / ".bin" / "prism"), "mock", "--errors", "--host", "127.0.0.1", "--port", str(port),
         str(HERE / "twilio-openapi.json")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    said = ""
    for line in process.stdout:
        said += line
        if "listening" in line:
            break
    else:
        raise AssertionError("prism did not start: " + said)
    timer.cancel()
    threading.Thread(target=lambda: [None for _ in process.stdout], daemon=True).start()
    url = f"http://127.0.0.1:{port}"
    # It reads the description in full at the first request, which takes longer than a sender waits.
    for resource, body in (("Messages", {"Body": "x"}), ("Calls", {"Twiml": "x"})):
        body |= {"To": "+447700900120", "From": "+15550100"}
        reply = requests.post(f"{url}/2010-04-01/Accounts/AC{'0' * 32}/{resource}.json", data=body,
                              auth=("AC" + "0" * 32, "x"), timeout=PATIENCE)
        assert reply.status_code == 201, reply.text
    yield url
    process.terminate()
    process.wait(timeout=PATIENCE)


@pytest.fixture
def twilio(prism):
    recorder = Provider(forward_to=prism)
    yield recorder
    recorder.stop()


KANNEL = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = x
smsbox-port = {box}
smsbox-interface = 127.0.0.1
dlr-storage = internal
log-level = 2

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = rollcall
smsc-password = secret
system-type = ""
interface-version = 34

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
sendsms-port = {send}
sendsms-interface = 127.0.0.1
log-level = 2

group = sendsms-user
username = rollcall
password = kannel-pw
max-messages = 1
"""


@pytest.fixture
def kannel(smsc):
    """Kannel between an HTTP sender and the message centre; gives the address of its smsbox."""
    ports = {name: free_port() for name in ("admin", "box", "send")}
    with tempfile.TemporaryDirectory(prefix="rollcall-kannel-") as folder:
        config = pathlib.Path(folder) / "kannel.conf"
        config.write_text(KANNEL.format(smsc=smsc.port, **ports).lstrip())
        boxes = []
        for box, port in (("bearerbox", "box"), ("smsbox", "send")):
            log = open(pathlib.Path(folder) / (box + ".log"), "w", encoding="utf-8")
            boxes.append((subprocess.Popen(["/usr/sbin/" + box, str(config)], stdout=log, stderr=log), log))
            eventually(box, lambda port=port: answers(ports[port]))
        smsc.wait_for("bind")
        yield f"http://127.0.0.1:{ports['send']}"
        for process, log in reversed(boxes):
            process.terminate()
            process.wait(timeout=PATIENCE)
            log.close()


def answers(port):
    with socket.socket() as it:
        return it.connect_ex(("127.0.0.1", port)) == 0


class Caller:
    """A program that registers a number over the On-Premises dialect."""

    def __init__(self, server):
        self.server, self.http = server, requests.Session()
        login = self.http.post(server.url + "/v1/users/login", auth=("admin", server.first_password),
                               json={"new_password": "Sender-tests-1!"}, timeout=PATIENCE)
        assert login.status_code == 200, login.text
        token = login.json()["users"][0]["token"]
        self.http.headers["Authorization"] = "Bearer " + token

    def ask(self, cc, national, method="sms"):
        number = f"+{cc}{national}"
        certificate = self.server.post("/certificates", {"number": number, "name": "Lucky Shrub"})
        reply = self.http.post(self.server.url + "/v1/account", timeout=PATIENCE, json={
            "cc": cc, "phone_number": national, "method": method, "cert": certificate["certificate"]})
        assert reply.status_code == 202, reply.text
        return number

    def confirm(self, code):
        return self.http.post(self.server.url + "/v1/account/verify", json={"code": code}, timeout=PATIENCE)

    def register_with(self, code):
        """A wrong code is refused; this one registers."""
        digits = code.replace("-", "")
        wrong = "%06d" % ((int(digits) + 1) % 1_000_000)
        assert self.confirm(wrong).status_code == 403
        reply = self.confirm(code)
        assert reply.status_code == 201, reply.text
        assert digits not in self.server.log_text() and code not in self.server.log_text()


@pytest.fixture
def caller():
    return Caller
