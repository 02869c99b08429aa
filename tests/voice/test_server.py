"""From the request for a code by voice to the registered number, in production, the code read from what the
telephone recorded."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

import ear
import requests
from conftest import TARGET, telephones
from kamailio import Kamailio

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import manual  # noqa: E402

# Fictitious: a range that Ofcom keeps for drama.
NUMBER = "+441632960123"


class File:
    """Something that stands in a file."""

    def __init__(self, folder, text):
        self.path = pathlib.Path(folder).with_suffix(".secret")
        self.path.write_text(text)

    def stop(self):
        self.path.unlink()


class Server:
    def __init__(self, folder, config):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "rollcall.toml").write_text(config)
        self.data = self.folder / "data"
        self.log = open(self.folder / "log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            [str(TARGET / "rollcall"), "serve", "--data", str(self.data), "--listen", "127.0.0.1:0",
             "--config", str(self.folder / "rollcall.toml")],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        timer = threading.Timer(telephones.PATIENCE, self.process.kill)
        timer.start()
        self.url = self.password = None
        for line in self.process.stdout:
            if found := re.search(r"has the password (\S+)", line):
                self.password = found.group(1)
            if found := re.match(r"listening on (http://\S+)", line):
                self.url = found.group(1)
                break
        timer.cancel()
        assert self.url and self.password, (self.folder / "log").read_text()

    def told(self):
        return (self.folder / "log").read_text()

    def command(self, *words):
        done = subprocess.run(
            [str(TARGET / "rollcall"), *words, "--server", self.url, "--data", str(self.data)],
            capture_output=True, text=True, timeout=telephones.PATIENCE, check=False, env=os.environ | {"NO_COLOR": "1"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=telephones.PATIENCE)
        self.process.stdout.close()
        self.log.close()


def test_a_number_is_registered_with_the_code_that_was_spoken(place):
    telephone = place(telephones.Baresip, user=NUMBER)
    trunk = place(Kamailio, telephone.port)
    secret = place(File, "secret\n")
    # As the page for operators has it.
    config = manual.set_up(manual.block("senders.calls"), trunk=f"127.0.0.1:{trunk.port}", password_file=secret.path)
    server = place(Server, config)
    checked = subprocess.run([str(TARGET / "rollcall"), "config", "check", str(server.folder / "rollcall.toml")],
                             capture_output=True, text=True, timeout=telephones.PATIENCE, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    login = requests.post(
        server.url + "/v1/users/login", auth=("admin", server.password),
        json={"new_password": "Voice-calls-1!"}, timeout=telephones.PATIENCE,
    )
    login.raise_for_status()
    session = requests.Session()
    session.headers["Authorization"] = "Bearer " + login.json()["users"][0]["token"]

    certificate = server.command("cert", "issue", "--number", NUMBER, "--name", "Lucky Shrub").strip()
    order = {"cc": "44", "phone_number": "1632960123", "method": "voice", "cert": certificate}
    asked = session.post(server.url + "/v1/account", json=order, timeout=telephones.PATIENCE)
    assert asked.status_code == 202, asked.text

    code = ear.digits(telephone.heard(), "en")
    assert len(code) == 18 and code == code[:6] * 3, server.told()
    confirmed = session.post(server.url + "/v1/account/verify", json={"code": code[:6]}, timeout=telephones.PATIENCE)
    assert confirmed.status_code == 201, confirmed.text
    shown = server.command("numbers", "show", NUMBER)
    assert "registered" in shown
    log = server.told()
    assert code[:6] not in log and NUMBER[1:] not in log, "neither code nor number in the log"
    telephones.wait_until(lambda: '"delivered"' in server.command("sends", "list", "--json"), "its receipt")
