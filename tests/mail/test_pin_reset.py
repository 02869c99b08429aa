"""A lost PIN is reset by a link that a real mail server brings: aiosmtpd, which wants a password."""

import email
import email.policy
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from localhost import certificate_for_localhost  # noqa: E402
from ports import free_port  # noqa: E402

BINARY = pathlib.Path(os.environ.get("ROLLCALL_BIN", ROOT / "target" / "debug" / "rollcall"))
# Fictitious: Ofcom keeps this range for drama.
NUMBER = "+447700900201"
SEED = """
[[account]]
name = "default"
  [[account.space]]
  cust_space_id = "shop"
    [[account.space.waba]]
    id = "102290129340398"
    name = "Shop"
      [[account.space.waba.number]]
      phone_number = "+447700900201"
      verified_name = "Shop"
      state = "registered"
      platform = "cloud_api"
      two_step_pin = "123456"
"""
CONFIG = """
mode = "sandbox"
public_url = "http://127.0.0.1:{port}"

[mail]
server = "localhost:{mail}"
security = "{security}"
ca_file = "{ca_file}"
from = "Rollcall <rollcall@shop.example>"
username = "rollcall"
password_file = "{folder}/password"
"""


class Post:
    """Keeps what comes; refuses while told to."""

    def __init__(self):
        self.mails, self.logins, self.refuses = [], [], False

    async def handle_DATA(self, server, session, envelope):
        if self.refuses:
            return "451 not now"
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 taken"


def password(server, session, envelope, mechanism, data):
    server.event_handler.logins.append(data.login)
    right = (data.login, data.password) == (b"rollcall", b"post-secret")
    return AuthResult(success=right)


class Server:
    def __init__(self, folder, mail_port, security="none", ca_file=""):
        self.port = free_port()
        (folder / "password").write_text("post-secret\n")
        (folder / "seed.toml").write_text(SEED)
        (folder / "rollcall.toml").write_text(CONFIG.format(
            port=self.port, mail=mail_port, folder=folder, security=security, ca_file=ca_file))
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(folder / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [str(BINARY), "serve", "--data", str(folder / "data"), "--listen", f"127.0.0.1:{self.port}",
             "--config", str(folder / "rollcall.toml"), "--seed", str(folder / "seed.toml")],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        timer = threading.Timer(120, self.process.kill)
        timer.start()
        started = any(re.match(r"listening on http://", line) for line in self.process.stdout)
        timer.cancel()
        assert started, (folder / "log").read_text()
        self.session = requests.Session()
        token = (folder / "data" / "operator.token").read_text().strip()
        self.session.headers["Authorization"] = "Bearer " + token

    def admin(self, method, path, body=None):
        return self.session.request(method, self.url + "/admin/v1" + path, json=body, timeout=120)

    def ask(self, **body):
        return self.admin("POST", f"/numbers/{NUMBER}/two-step/reset-link", body)

    def pin_is_on(self):
        return self.admin("GET", f"/numbers/{NUMBER}").json()["two_step"]["enabled"]

    def advance(self, seconds):
        requests.post(self.url + "/sandbox/v1/clock", json={"advance_seconds": seconds}, timeout=120).raise_for_status()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=120) == 0
        self.process.stdout.close()
        self.log.close()


def mail_server(**more):
    handler = Post()
    controller = Controller(
        handler, hostname="127.0.0.1", port=free_port(), authenticator=password, auth_required=True,
        ready_timeout=120, **more)
    controller.start()
    handler.port, handler.stop = controller.port, controller.stop
    return handler


@pytest.fixture
def post():
    handler = mail_server(auth_require_tls=False)
    yield handler
    handler.stop()


def with_address(server):
    reply = server.admin("PATCH", "/wabas/102290129340398", {"contact_email": "owner@shop.example"})
    assert reply.status_code == 200 and reply.json()["contact_email"] == "owner@shop.example", reply.text
    return server


@pytest.fixture
def server(tmp_path, post):
    it = with_address(Server(tmp_path, post.port))
    yield it
    it.stop()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """For localhost, and its own authority."""
    folder = tmp_path_factory.mktemp("certificate")
    certificate_for_localhost(folder)
    return folder


@pytest.fixture
def over_tls(certificate):
    """Mail servers that take nothing in the clear: `starttls` as on port 587, `tls` as on port 465."""
    started = []

    def start(security):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        if security == "starttls":
            started.append(mail_server(tls_context=context, require_starttls=True))
        else:
            # The library's own rule would ask for STARTTLS within TLS.
            started.append(mail_server(ssl_context=context, auth_require_tls=False))
        return started[-1]

    yield start
    for it in started:
        it.stop()


def link_of(post):
    recipients, mail = post.mails[-1]
    assert recipients == ["owner@shop.example"]
    assert mail["From"] == "Rollcall <rollcall@shop.example>"
    (link,) = re.findall(r"http://\S+/two-step/reset/[0-9a-f]{32}", mail.get_content())
    return link


def test_the_mailed_link_switches_the_pin_off_once(server, post, tmp_path):
    asked = server.ask(locale="de")
    assert asked.status_code == 202 and asked.json()["mailed_to"] == "o•••@shop.example", asked.text
    assert "zurücksetzen" in post.mails[-1][1]["Subject"]
    link = link_of(post)
    # What a scanner does with a link.
    for method in ("GET", "HEAD", "OPTIONS"):
        requests.request(method, link, timeout=120)
    assert server.pin_is_on()

    with ThreadPoolExecutor(8) as pool:
        statuses = [it.status_code for it in pool.map(lambda _: requests.post(link, timeout=120), range(8))]
    assert sorted(statuses) == [200] + [404] * 7
    assert not server.pin_is_on()
    spent, made_up = (requests.post(it, timeout=120) for it in (link, link[:-16] + "0" * 16))
    assert (spent.status_code, spent.text) == (404, made_up.text)

    assert server.admin("PUT", f"/numbers/{NUMBER}/two-step", {"pin": "654321"}).status_code == 200
    assert server.pin_is_on()
    assert requests.post(link, timeout=120).status_code == 404 and server.pin_is_on()

    trail = server.admin("GET", "/audit?limit=50").text
    assert "pin_reset_asked" in trail and "two_step_cleared" in trail and "mail:pin-reset" in trail
    token = link.rsplit("/", 1)[1].encode()
    database = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("rollcall.db*"))
    assert token not in database and token.decode() not in (tmp_path / "log").read_text()


def test_a_link_ends_after_a_day(server, post):
    assert server.ask().status_code == 202
    server.advance(24 * 3600)
    assert requests.post(link_of(post), timeout=120).status_code == 404
    assert server.pin_is_on()


def test_asking_has_its_limit_and_a_mail_server_that_fails_is_told(server, post):
    post.refuses = True
    failed = server.ask()
    assert failed.status_code == 503 and "Retry-After" in failed.headers, failed.text
    post.refuses = False
    assert [server.ask().status_code for _ in range(3)] == [202, 202, 429]
    assert len(post.mails) == 2
    limited = server.ask()
    assert int(limited.headers["Retry-After"]) > 3600 and limited.json()["error"]["code"] == "too_many"
    server.advance(8 * 3600)
    assert server.ask().status_code == 202


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mails_travel_encrypted_to_a_server_that_is_who_it_says(over_tls, certificate, tmp_path, security):
    post = over_tls(security)
    server = with_address(Server(tmp_path, post.port, security, certificate / "ca.pem"))
    try:
        assert server.ask().status_code == 202, (tmp_path / "log").read_text()
        assert requests.post(link_of(post), timeout=120).status_code == 200
        assert not server.pin_is_on()
    finally:
        server.stop()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_whose_certificate_nobody_vouches_for_gets_no_mail(over_tls, tmp_path, security):
    post = over_tls(security)
    server = with_address(Server(tmp_path, post.port, security))
    try:
        failed = server.ask()
        assert failed.status_code == 503, failed.text
        assert "TLS" in (tmp_path / "log").read_text()
        assert post.mails == []
    finally:
        server.stop()


def test_a_server_without_tls_gets_no_mail_in_the_clear(post, tmp_path):
    """Nor the password: whoever sits in between could take STARTTLS out of the greeting."""
    server = with_address(Server(tmp_path, post.port, "starttls"))
    try:
        assert server.ask().status_code == 503
        assert post.mails == [] and post.logins == []
    finally:
        server.stop()
