"""A real server: its own data folder, any free ports for HTTP and HTTPS, stopped by its pid."""

import os
import pathlib
import re
import signal
import subprocess
import threading

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("ROLLCALL_BIN", ROOT / "target" / "debug" / "rollcall"))
LISTENERS = 2


class Server:
    """A `rollcall serve` process with both listeners."""

    def __init__(self, folder, seed):
        (folder / "seed.toml").write_text(seed, encoding="utf-8")
        command = [str(BINARY), "serve", "--data", str(folder / "data")]
        command += ["--listen", "127.0.0.1:0", "--listen-https", "127.0.0.1:0"]
        command += ["--seed", str(folder / "seed.toml")]
        self.ca = folder / "data" / "tls" / "ca.pem"
        self.log = open(folder / "server.log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.urls = self._wait_until_ready(folder)
        self.read = {}

    def _wait_until_ready(self, folder):
        urls = {}
        timer = threading.Timer(120, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                match = re.match(r"listening on ((https?)://\S+)", line)
                if match:
                    urls[match.group(2)] = match.group(1)
                if len(urls) == LISTENERS:
                    return urls
        finally:
            timer.cancel()
        raise RuntimeError("the server did not start: " + (folder / "server.log").read_text())

    def endpoint(self, scheme):
        """Host and port, as most SDKs want it."""
        return self.urls[scheme].removeprefix(scheme + "://")

    def sandbox(self, method, path, **more):
        """A call of the sandbox's own tools."""
        url = f"{self.urls['http']}/sandbox/v1/{path}"
        reply = requests.request(method, url, timeout=120, **more)
        reply.raise_for_status()
        return reply

    def webhook_secret(self, scope, scope_id):
        """What signs the callbacks about a space or a number, as its operator is shown it."""
        token = (self.ca.parents[1] / "operator.token").read_text(encoding="utf-8").strip()
        url = f"{self.urls['http']}/admin/v1/webhooks/cams/{scope}/{scope_id}/secret"
        reply = requests.get(url, timeout=120, headers={"Authorization": f"Bearer {token}"})
        reply.raise_for_status()
        return reply.json()["secret"]

    def reset(self):
        """Back to the seed, with the clock as it really is."""
        self.sandbox("POST", "clock", json={"resume": True})
        self.sandbox("POST", "reset", json={})
        self.read = {}

    @property
    def token(self):
        """The operator's token."""
        return (self.ca.parents[1] / "operator.token").read_text(encoding="utf-8").strip()

    def operator(self, method, path, body):
        """A call of the operator's API."""
        url = f"{self.urls['http']}/admin/v1/{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        reply = requests.request(method, url, json=body, headers=headers, timeout=120)
        reply.raise_for_status()
        return reply.json()

    def save(self, name):
        """Keeps everything as it is now."""
        self.sandbox("POST", f"snapshots/{name}", json={})

    def back_to(self, name):
        """Everything as it was kept, but for the time."""
        self.sandbox("POST", f"snapshots/{name}/restore", json={})
        self.sandbox("POST", "clock", json={"resume": True})

    def advance(self, seconds):
        """Turns the clock on."""
        self.sandbox("POST", "clock", json={"advance_seconds": seconds})

    def code(self, number):
        """The next code to a number, read as a person would read it from the telephone."""
        query = {"number": "+" + number, "timeout": "60s"}
        if number in self.read:
            query["after"] = self.read[number]
        message = self.sandbox("GET", "inbox/wait", params=query).json()
        self.read[number] = message["id"]
        return message["code"]

    def stop(self):
        """Asks it to stop, and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=120)
        self.process.stdout.close()
        self.log.close()
        return code
