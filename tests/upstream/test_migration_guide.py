"""docs/migrate-from-onprem.md, as a new user follows it: what it shows is pasted, in a shell, in its order.

A second Rollcall stands in Meta's place. What is put in the place of the page's own words is said here: addresses,
ids that only a reader has, and the folder.
"""

import os
import re
import signal
import subprocess
import threading

import pytest
import requests

from callers import certificate
from ports import free_port
from rollcalls import BINARY, ROOT, TOKEN, WABA, Rollcall

PAGE = (ROOT / "docs" / "migrate-from-onprem.md").read_text(encoding="utf-8")
NUMBER = "7700900123"


def section(heading):
    (found,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)
    return found


def pieces(text):
    """The fenced pieces, without their indentation."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.S | re.M)
    return [(kind, re.sub(rf"^{indent}", "", body, flags=re.M)) for indent, kind, body in found]


class Terminal:
    """A shell in a folder, in which `rollcall` is the binary under test."""

    def __init__(self, folder, **places):
        self.folder, self.places, self.running = folder, places, []
        (folder / "bin").mkdir()
        (folder / "bin" / "rollcall").symlink_to(BINARY)
        self.environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}

    def put(self, text):
        for words, place in self.places.items():
            text = text.replace(words, place)
        return text

    def paste(self, text):
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", self.put(text)], cwd=self.folder, env=self.environment,
            capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{self.put(text)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def serve(self, text):
        """Pastes what ends in a server; what it printed until it listened."""
        log = open(self.folder / f"server-{len(self.running)}.log", "w+", encoding="utf-8")
        process = subprocess.Popen(
            ["bash", "-e", "-c", self.put(text)], cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        self.running.append((process, log))
        timer = threading.Timer(120, process.kill)
        timer.start()
        printed = ""
        for line in process.stdout:
            printed += line
            if line.startswith("listening on http://"):
                timer.cancel()
                return printed
        log.seek(0)
        raise AssertionError(f"{self.put(text)}\n{printed}\n{log.read()}")

    def stop(self):
        for process, log in reversed(self.running):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=120)
            process.stdout.close()
            log.close()


@pytest.fixture
def terminal(tmp_path):
    made = []

    def make(**places):
        made.append(Terminal(tmp_path, **places))
        return made[-1]

    yield make
    for it in made:
        it.stop()


def test_set_up_in_production_as_the_page_has_it(terminal):
    meta = Rollcall()
    http, https = free_port(), free_port()
    try:
        shell = terminal(**{"/srv/rollcall": "./data", "META_WABA_ID": WABA})
        (settings_kind, settings), (_, start), (_, forward) = pieces(section("Set it up"))
        assert settings_kind == "toml"
        # Free ports in the place of the default ones.
        listen = f'\n[listen]\nhttp = "127.0.0.1:{http}"\nhttps = "127.0.0.1:{https}"\n'
        (shell.folder / "rollcall.toml").write_text(settings + listen)
        (shell.folder / "token.txt").write_text(TOKEN + "\n")
        printed = shell.serve(start)
        password = re.search(r"has the password (\S+)", printed).group(1)
        shell.environment["ROLLCALL_SERVER"] = f"http://127.0.0.1:{http}"
        listing, setting, checking = forward.splitlines()
        shell.places["YOUR_WABA"] = re.search(r"^(\d+) ", shell.paste(listing), re.M).group(1)
        # The only word that is added: who stands in Meta's place.
        assert "v25.0" in shell.paste(f"{setting} --base-url {meta.url}")
        assert shell.paste(checking).startswith("Reached.")

        # The program: its three calls, and those of the sections that follow.
        program = requests.Session()
        url = f"http://127.0.0.1:{http}/v1"

        def call(method, path, body=None, **more):
            reply = program.request(method, url + path, json=body, timeout=120, **more)
            return reply.status_code, reply.json() if reply.content else None

        new = {"new_password": "Change-me-1!"}
        status, users = call("POST", "/users/login", new, auth=("admin", password))
        assert status == 200, users
        program.headers["Authorization"] = "Bearer " + users["users"][0]["token"]
        order = {"cc": "44", "phone_number": NUMBER, "method": "sms", "cert": certificate("Lucky Shrub")}
        assert call("POST", "/account", order)[0] == 202
        code = meta.next_code("+44" + NUMBER)[1]
        assert call("POST", "/account/verify", {"code": code})[0] == 201
        assert call("POST", "/account", order)[0] == 201

        ((_, reveal),) = pieces(section("The PIN"))
        shell.places["+447700900123"] = "+44" + NUMBER
        drawn = re.search(r"PIN +(\d{6})", shell.paste(reveal)).group(1)
        assert call("POST", "/settings/account/two-step", {"pin": "024680"})[0] == 200
        assert re.search(r"PIN +(\d{6})", shell.paste(reveal)).group(1) == "024680"
        assert call("DELETE", "/settings/account/two-step")[0] == 200
        assert re.search(r"PIN +(\d{6})", shell.paste(reveal)).group(1) not in ("024680", drawn)

        ((_, watch),) = pieces(section("Keep an eye on it"))
        assert re.search(rf"\+44{NUMBER} +CONNECTED +yes +kept +-", shell.paste(watch))
        # Somebody gives the number up by hand, over there.
        assert meta.admin("POST", f"/numbers/44{NUMBER}/deregister").status_code in (200, 204)
        assert "registered here; upstream it is not" in shell.paste(watch)
    finally:
        meta.stop()


def test_the_rehearsal_as_the_page_has_it(terminal):
    meta, mine = free_port(), free_port()
    shell = terminal(**{"127.0.0.1:9090": f"127.0.0.1:{meta}", "127.0.0.1:8080": f"127.0.0.1:{mine}"})
    (_, first), (_, second), (_, third) = pieces(section("Rehearsal on one machine"))
    shell.serve(first)
    shell.serve(second)
    shown = shell.paste(third)
    assert "Reached." in shown
    assert '{"account":[{"vname":"Lucky Shrub"}]' in shown
    assert re.search(rf"\+44{NUMBER} +CONNECTED +yes +kept +-", shown), shown
    assert re.search(r"PIN +\d{6}", shown), shown


def test_the_page_names_what_there_is():
    """Each command of the page has a help page of its own."""
    commands = set(re.findall(r"rollcall ((?:[a-z]+ )*[a-z]+)", " ".join(body for _, body in pieces(PAGE))))
    inline = set(re.findall(r"`rollcall ((?:[a-z]+ )*[a-z]+)", PAGE))
    assert commands and inline
    for words in commands | inline:
        shown = subprocess.run(
            [str(BINARY), *words.split(), "--help"], capture_output=True, text=True, timeout=120)
        assert shown.returncode == 0 and "Usage:" in shown.stdout, words
