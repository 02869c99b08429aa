"""docs/operations.md holds what it shows: each piece of configuration is taken from the page, checked, served in
production, and registers a number with the code that the other side got."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import time
import tomllib
import urllib.parse

import checked
import jwt
import pytest
import requests
import vonage_jwt
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import BINARY, HERE, PATIENCE, Provider, answers, eventually
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

sys.path.insert(0, str(HERE.parent))
import manual  # noqa: E402
from localhost import certificate_for_localhost  # noqa: E402
from ports import free_port  # noqa: E402

PUBLIC = "https://rollcall.example.org"
CODE = re.compile(r"\b\d{3}-\d{3}\b")
# What the page reads from variables.
SECRETS = {
    "SMSC_PASSWORD": "secret",
    "TWILIO_AUTH_TOKEN": "auth-token",
    "VONAGE_SECRET": checked.Vonage.secret,
    "INFOBIP_KEY": checked.Infobip.key,
    "KANNEL_PASSWORD": "kannel-pw",
    "PHONE_PASSWORD": checked.Telephone.password,
    "OTHER_TOKEN": "other-token",
}
# Tested by tests/voice.
ELSEWHERE = {"senders.calls", "listen"}
HERE_TESTED = {
    "senders.carrier", "senders.twilio", "senders.twilio-calls", "senders.vonage", "senders.vonage-calls",
    "senders.infobip", "senders.sns", "senders.kannel", "senders.telephone", "senders.other",
    "routes.germany", "routes.elsewhere", "prices.carrier", "destinations", "fuses",
    "mail",
}


@pytest.fixture
def paste(serve, tmp_path, monkeypatch):
    """Checks a piece of configuration and serves it."""
    def start(text, env=(), **more):
        # No message is given up, and sent again, because the machine is busy.
        patient = {f"ROLLCALL__SENDERS__{name.upper()}__TIMEOUT": "20s"
                   for name in tomllib.loads(text)["senders"] if name.isalpha()}
        for name, value in {**SECRETS, **patient, **dict(env)}.items():
            monkeypatch.setenv(name, value)
        file = tmp_path / "pasted.toml"
        file.write_text(text)
        check = subprocess.run([str(BINARY), "config", "check", str(file)], capture_output=True, text=True,
                               timeout=PATIENCE, check=False)
        assert check.returncode == 0, text + check.stdout + check.stderr
        return serve(text, **more)

    return start


@pytest.fixture
def provider_of():
    started = []

    def start(kind, *args):
        started.append(kind(*args))
        return started[-1]

    yield start
    for it in started:
        it.stop()
        assert not getattr(it, "refused", []), it.refused


def digits_said(text):
    """The code in words to be spoken, digit by digit."""
    return "".join(re.findall(r"\d(?=[,.]| |$)", text))[:6]


def report(server, url, **what):
    """Posts a delivery status to the address that the provider was given."""
    assert url.startswith(PUBLIC), url
    return requests.post(server.url + url.removeprefix(PUBLIC), timeout=PATIENCE, **what).status_code


def test_every_block_of_the_page_is_run():
    assert manual.named() == HERE_TESTED | ELSEWHERE


def test_smpp(paste, smsc, caller):
    place = f"127.0.0.1:{smsc.port}"
    server = paste(manual.set_up(manual.block("senders.carrier"), address=place))
    client = caller(server)
    number = client.ask("44", "7700900401")
    client.register_with(CODE.search(smsc.wait_for("submit")["text"]).group())
    assert server.send_in(number, "handed_over")["sender"] == "carrier"


def twilio_form(twilio):
    return dict(urllib.parse.parse_qsl(twilio.asked[-1][2].decode()))


def test_twilio(paste, twilio, caller):
    server = paste(manual.set_up(manual.block("senders.twilio"), base=twilio.url))
    client = caller(server)
    number = client.ask("44", "7700900402")
    server.send_in(number, "handed_over")
    assert twilio_form(twilio)["StatusCallback"].startswith(PUBLIC + "/delivery/v1/twilio/status/")
    client.register_with(CODE.search(twilio_form(twilio)["Body"]).group())


def test_twilio_calls(paste, twilio, caller):
    server = paste(manual.set_up(manual.block("senders.twilio-calls"), base=twilio.url))
    client = caller(server)
    number = client.ask("44", "1632960402", method="voice")
    server.send_in(number, "handed_over")
    link = twilio_form(twilio)["Url"]
    # Its signature is checked by test_http.py; here the words alone matter.
    unsigned = requests.get(server.url + link.removeprefix(PUBLIC), timeout=PATIENCE)
    assert unsigned.status_code == 404
    signed = {"X-Twilio-Signature": signature(link)}
    words = requests.get(server.url + link.removeprefix(PUBLIC), headers=signed, timeout=PATIENCE).text
    client.register_with(digits_said(re.search(r"<Say[^>]*>(.*)</Say>", words).group(1)))


def signature(url):
    mac = hmac.new(SECRETS["TWILIO_AUTH_TOKEN"].encode(), url.encode(), hashlib.sha1)
    return base64.b64encode(mac.digest()).decode()


def test_vonage(paste, provider_of, caller):
    vonage = provider_of(checked.Vonage)
    server = paste(manual.set_up(manual.block("senders.vonage"), base=vonage.url))
    client = caller(server)
    number = client.ask("44", "7700900403")
    row = server.send_in(number, "handed_over")
    form = dict(urllib.parse.parse_qsl(vonage.asked[-1][2].decode()))
    told = {"messageId": row["provider_id"], "status": "delivered", "err-code": "0"}
    assert report(server, form["callback"], json=told) == 204
    server.send_in(number, "delivered")
    client.register_with(CODE.search(vonage.text_for(number)).group())


def test_vonage_in_another_alphabet_and_with_a_wrong_secret(paste, provider_of, caller):
    vonage = provider_of(checked.Vonage)
    text = manual.set_up(manual.block("senders.vonage"), base=vonage.url)
    server = paste(text)
    client = caller(server)
    number = client.ask("7", "9161234567")
    server.send_in(number, "handed_over")
    client.register_with(CODE.search(vonage.text_for(number)).group())
    server = paste(text, env={"VONAGE_SECRET": "stale"})
    number = caller(server).ask("44", "7700900404")
    assert "Bad Credentials" in server.send_in(number, "failed")["reason"]


@pytest.fixture
def vonage_key(tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = tmp_path / "vonage.key"
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption()))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return file, public


def test_vonage_calls(paste, provider_of, caller, vonage_key):
    file, public = vonage_key
    vonage = provider_of(checked.VonageVoice, "00000000-0000-4000-8000-000000000000", public)
    text = manual.set_up(manual.block("senders.vonage-calls"), base=vonage.url, private_key_file=file)
    server = paste(text)
    client = caller(server)
    number = client.ask("44", "1632960403", method="voice")
    row = server.send_in(number, "handed_over")
    url = json.loads(vonage.asked[-1][2])["event_url"][0]
    assert report(server, url, json={"uuid": row["provider_id"], "status": "completed"}) == 204
    server.send_in(number, "delivered")
    client.register_with(digits_said(vonage.text_for(number)))


def test_vonage_speaks_the_language_of_the_country(paste, provider_of, caller, vonage_key):
    file, public = vonage_key
    vonage = provider_of(checked.VonageVoice, "00000000-0000-4000-8000-000000000000", public)
    text = manual.set_up(manual.block("senders.vonage-calls"), base=vonage.url, private_key_file=file)
    server = paste(text.replace('voice = ["+44"]', 'voice = ["+49", "+33", "+86"]'))
    client = caller(server)
    for cc, national, language in [("49", "3023125100", "de-DE"), ("33", "199001234", "fr-FR"),
                                   ("86", "1064123456", "cmn-CN")]:
        number = client.ask(cc, national, method="voice")
        server.send_in(number, "handed_over")
        sent = json.loads(vonage.asked[-1][2])
        assert sent["ncco"][0]["language"] == language


def test_vonage_signs_what_it_reports_of_calls(paste, provider_of, caller, vonage_key):
    file, public = vonage_key
    vonage = provider_of(checked.VonageVoice, "00000000-0000-4000-8000-000000000000", public)
    text = manual.set_up(manual.block("senders.vonage-calls"), base=vonage.url, private_key_file=file)
    secret = "a signature secret of the account"
    server = paste(text.replace("\nfrom =", f'\nsignature_secret = "{secret}"\nfrom ='))
    client = caller(server)
    number = client.ask("44", "1632960404", method="voice")
    row = server.send_in(number, "handed_over")
    url = json.loads(vonage.asked[-1][2])["event_url"][0]
    body = json.dumps({"uuid": row["provider_id"], "status": "completed"}).encode()

    def told(content=body, key=secret, ago=0, algorithm="HS256", **claims):
        claims = {"iss": "Vonage", "iat": int(time.time()) - ago, "jti": "1",
                  "payload_hash": hashlib.sha256(body).hexdigest()} | claims
        token = jwt.encode(claims, key, algorithm=algorithm)
        if key == secret and algorithm == "HS256":
            assert vonage_jwt.verify_signature(token, secret), "as Vonage's own library reads it"
        headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
        return report(server, url, data=content, headers=headers)

    assert report(server, url, json={"uuid": row["provider_id"], "status": "completed"}) == 403, "unsigned"
    assert told(content=body.replace(b"completed", b"failed")) == 403, "signed for something else"
    assert told(key="another secret, of another account") == 403
    assert told(ago=16 * 60) == 403, "too old"
    assert told(algorithm="none", key="") == 403
    assert told(payload_hash=None) == 403
    assert server.sends(number)[0]["state"] == "handed_over"
    assert told() == 204
    server.send_in(number, "delivered")


def test_infobip(paste, provider_of, caller):
    infobip = provider_of(checked.Infobip)
    server = paste(manual.set_up(manual.block("senders.infobip"), base=infobip.url))
    client = caller(server)
    number = client.ask("44", "7700900405")
    row = server.send_in(number, "handed_over")
    sent = json.loads(infobip.asked[-1][2])["messages"][0]
    results = {"results": [{"messageId": row["provider_id"], "status": {"groupName": "DELIVERED"}}]}
    assert report(server, sent["webhooks"]["delivery"]["url"], json=results) == 204
    server.send_in(number, "delivered")
    client.register_with(CODE.search(infobip.text_for(number)).group())


class Aws(Provider):
    """In front of moto: what it was asked can be read, and AWS's own library checks the signature, which moto does
    not of a form that it has already taken apart."""

    secret = "aws-secret"

    def usual(self, path, headers, body):
        said = headers["Authorization"]
        scope, signed, signature = re.fullmatch(
            "AWS4-HMAC-SHA256 Credential=(.*), SignedHeaders=(.*), Signature=(.*)", said).groups()
        key, _, region, service, _ = scope.split("/")
        request = AWSRequest("POST", self.url + path, data=body,
                             headers={name: headers[name] for name in signed.split(";")})
        request.context["timestamp"] = headers["X-Amz-Date"]
        signer = SigV4Auth(Credentials(key, self.secret), service, region)
        right = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
        if signature != right:
            fault = b"<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>"
            return 403, {"Content-Type": "text/xml"}, fault
        reply = requests.post(self.forward_to + path, data=body, headers=dict(headers), timeout=PATIENCE)
        return reply.status_code, {"Content-Type": reply.headers["Content-Type"]}, reply.content


@pytest.fixture
def aws():
    port = free_port()
    process = subprocess.Popen(
        [str(pathlib.Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    eventually("moto", lambda: answers(port))
    recorder = Aws(forward_to=f"http://127.0.0.1:{port}")
    yield recorder
    recorder.stop()
    process.terminate()
    process.wait(timeout=PATIENCE)


def test_sns(paste, aws, caller):
    text = manual.set_up(manual.block("senders.sns"), base=aws.url)
    server = paste(text, env={"AWS_SECRET_ACCESS_KEY": Aws.secret})
    client = caller(server)
    number = client.ask("44", "7700900406")
    row = server.send_in(number, "handed_over")
    assert re.fullmatch(r"[0-9a-f-]{36}", row["provider_id"])
    form = dict(urllib.parse.parse_qsl(aws.asked[-1][2].decode()))
    assert (form["PhoneNumber"], form["MessageAttributes.entry.2.Value.StringValue"]) == (number, "Rollcall")
    client.register_with(CODE.search(form["Message"]).group())

    # No rubber stamp: another secret makes another signature.
    server = paste(text, env={"AWS_SECRET_ACCESS_KEY": "stale"})
    number = caller(server).ask("44", "7700900407")
    assert "SignatureDoesNotMatch" in server.send_in(number, "failed")["reason"]


def test_kannel(paste, smsc, kannel, caller):
    server = paste(manual.set_up(manual.block("senders.kannel"), base=kannel))
    client = caller(server)
    number = client.ask("44", "7700900408")
    sent = smsc.wait_for("submit", lambda it: it["to"].lstrip("+") == number[1:])
    client.register_with(CODE.search(sent["text"]).group())


def test_a_telephone(paste, provider_of, caller):
    phone = provider_of(checked.Telephone)
    server = paste(manual.set_up(manual.block("senders.telephone"), base=phone.url))
    client = caller(server)
    number = client.ask("44", "7700900409")
    row = server.send_in(number, "handed_over")
    assert row["provider_id"] == row["id"]
    client.register_with(CODE.search(phone.text_for(number)).group())


def test_any_other_provider(paste, provider_of, caller):
    other = provider_of(checked.Other)
    server = paste(manual.set_up(manual.block("senders.other"), url=other.url + "/v2/send"))
    client = caller(server)
    number = client.ask("44", "7700900410")
    row = server.send_in(number, "handed_over")
    assert row["provider_id"] == "O-1"
    client.register_with(CODE.search(other.text_for(number)).group())


def test_routes_prices_and_fuses(paste, smsc, twilio, kannel, caller):
    """With the three senders that the routes name, each as the page has it."""
    text = manual.joined(
        manual.set_up(manual.block("senders.carrier"), address=f"127.0.0.1:{smsc.port}"),
        manual.set_up(manual.block("senders.twilio"), base=twilio.url),
        manual.set_up(manual.block("senders.kannel"), base=kannel),
        manual.block("routes.germany"),
    )
    server = paste(text)
    client = caller(server)
    # Whoever has no price is taken to cost a tenth.
    price = {"carrier": 60_000, "twilio": 100_000}
    seen = set()
    for place in range(12):
        number = client.ask("49", f"15112345{place:03}")
        row = server.send_in(number, "handed_over")
        seen.add(row["sender"])
        assert row["price"] == price[row["sender"]], row
    assert seen == {"carrier", "twilio"}, "shared by weight; the third only if both fail"
    done = subprocess.run(
        [str(BINARY), "limits", "status", "--json", "--server", server.url, "--data", str(server.folder / "data")],
        capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "50000000" in done.stdout and "25000000" in done.stdout, done.stdout
    sent = [it["submit"] for it in smsc.said if "submit" in it]
    assert {it["from"] for it in sent} == {"Rollcall"}
    # Whatever else goes by the route without a prefix.
    number = client.ask("44", "7700900411")
    row = server.send_in(number, "handed_over")
    assert (row["sender"], row["price"]) == ("carrier", 70_000)
    (sent,) = smsc.submits(number)
    client.register_with(CODE.search(sent["text"]).group())


class Post:
    """Keeps what comes by STARTTLS and with the right password."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 taken"


def password(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"rollcall", b"post-secret"))


@pytest.fixture
def post(tmp_path, monkeypatch):
    certificate_for_localhost(tmp_path)
    # The system of the test trusts this one.
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), tls_context=context,
                            require_starttls=True, authenticator=password, auth_required=True, ready_timeout=PATIENCE)
    controller.start()
    handler.place = f"localhost:{controller.port}"
    yield handler
    controller.stop()


def test_mail(paste, post, twilio, caller, tmp_path):
    """The link that resets a PIN, for a number that was registered by the way above."""
    secret = tmp_path / "smtp"
    secret.write_text("post-secret\n")
    text = manual.joined(
        manual.set_up(manual.block("senders.twilio"), base=twilio.url),
        manual.set_up(manual.block("mail"), server=post.place, password_file=secret),
    )
    server = paste(text)
    client = caller(server)
    number = client.ask("44", "7700900412")
    row = server.send_in(number, "handed_over")
    client.register_with(CODE.search(twilio_form(twilio)["Body"]).group())
    admin = server.url + "/admin/v1"
    pin = server.admin.put(f"{admin}/numbers/{number}/two-step", json={"pin": "654321"}, timeout=PATIENCE)
    assert pin.status_code == 200, pin.text
    # The two requests of the page.
    there = server.admin.patch(f"{admin}/wabas/{row['waba']}", json={"contact_email": "owner@shop.example"}, timeout=PATIENCE)
    assert there.status_code == 200, there.text
    asked = server.admin.post(f"{admin}/numbers/{number}/two-step/reset-link", json={"locale": "de"}, timeout=PATIENCE)
    assert asked.status_code == 202, asked.text + server.log_text()
    ((to, mail),) = post.mails
    assert to == ["owner@shop.example"]
    link = re.search(PUBLIC + r"(/two-step/reset/[0-9a-f]{32})", mail).group(1)
    assert requests.post(server.url + link, timeout=PATIENCE).status_code == 200
    assert not server.get(f"/numbers/{number}")["two_step"]["enabled"]
