"""Registrations whose code travels through a provider's HTTP API."""

import base64
import hashlib
import hmac
import json
import re
import socket
import time
import urllib.parse

import pytest
import requests

from conftest import PATIENCE
from ports import free_port

ACCOUNT = "AC" + "0123456789abcdef" * 2
PUBLIC = "https://rollcall.example.org"

TWILIO = """
{public}
[senders.twilio]
type = "http"
preset = "{preset}"
timeout = "20s"
base = "{base}"
account = "%s"
secret = "auth-token"
from = "+15550100"
[destinations]
voice = ["+44"]
""" % ACCOUNT

CUSTOM = """
[senders.custom]
type = "http"
timeout = "20s"
url = "{base}/send"
id = {{ json = "/id" }}
[senders.custom.json]
to = "{{{{ to }}}}"
text = "{{{{ text }}}}"
"""


def form(body):
    return dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))


def signature(url, fields):
    text = url + "".join(key + fields[key] for key in sorted(fields))
    return base64.b64encode(hmac.new(b"auth-token", text.encode(), hashlib.sha1).digest()).decode()


def report(server, url, fields, signed=True):
    """What a provider posts to the address that it was given for the message."""
    assert url.startswith(PUBLIC)
    headers = {"X-Twilio-Signature": signature(url, fields)} if signed else {}
    return requests.post(server.url + url[len(PUBLIC):], data=fields, headers=headers, timeout=PATIENCE).status_code


def test_twilio_takes_the_message_and_its_signed_reports_count(serve, twilio, caller):
    server = serve(TWILIO.format(public=f'public_url = "{PUBLIC}"', preset="twilio", base=twilio.url))
    client = caller(server)
    number = client.ask("44", "7700900121")
    row = server.send_in(number, "handed_over")
    (path, headers, body), = twilio.asked
    fields = form(body)
    assert path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert headers["authorization"].startswith("Basic ")
    assert (fields["To"], fields["From"]) == (number, "+15550100")
    client.register_with(re.search(r"\d{3}-\d{3}", fields["Body"]).group())

    told = {"MessageSid": row["provider_id"], "MessageStatus": "delivered"}
    assert report(server, fields["StatusCallback"], told, signed=False) == 403
    assert report(server, fields["StatusCallback"][:-1], told) == 404
    assert report(server, PUBLIC + "/delivery/v1/nobody/status/x", told) == 404
    assert server.sends(number)[0]["state"] == "handed_over"
    for _ in range(2):
        assert report(server, fields["StatusCallback"], told) == 204
    server.send_in(number, "delivered")


def test_the_description_of_the_api_refuses_what_does_not_fit_it(prism):
    """The mock is no rubber stamp: without a number it says no."""
    url = f"{prism}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    reply = requests.post(url, data={"Body": "x"}, auth=(ACCOUNT, "x"), timeout=PATIENCE)
    assert reply.status_code == 422, reply.text


def test_twilio_calls_with_the_words_in_the_request(serve, twilio, caller):
    server = serve(TWILIO.format(public="", preset="twilio-voice", base=twilio.url))
    client = caller(server)
    number = client.ask("44", "1632960101", method="voice")
    server.send_in(number, "handed_over")
    fields = form(twilio.asked[0][2])
    said = re.search(r"<Say[^>]*>(.*)</Say>", fields["Twiml"]).group(1)
    client.register_with("".join(re.findall(r"\d(?=[,.]| |$)", said))[:6])


def test_twilio_calls_and_fetches_the_words(serve, twilio, caller):
    server = serve(TWILIO.format(public=f'public_url = "{PUBLIC}"', preset="twilio-voice", base=twilio.url))
    client = caller(server)
    number = client.ask("44", "1632960102", method="voice")
    row = server.send_in(number, "handed_over")
    fields = form(twilio.asked[0][2])
    link = fields["Url"]
    signed = {"X-Twilio-Signature": signature(link, {})}
    assert requests.get(server.url + link[len(PUBLIC):], timeout=PATIENCE).status_code == 404, "unsigned"
    reply = requests.get(server.url + link[len(PUBLIC):], headers=signed, timeout=PATIENCE)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    said = re.search(r"<Say[^>]*>(.*)</Say>", reply.text).group(1)
    client.register_with("".join(re.findall(r"\d(?=[,.]| |$)", said))[:6])
    told = {"CallSid": row["provider_id"], "CallStatus": "completed"}
    assert report(server, fields["StatusCallback"], told) == 204
    server.send_in(number, "delivered")


KANNEL = """
public_url = "{public}"
[senders.kannel]
type = "http"
preset = "kannel"
base = "{base}"
user = "rollcall"
password = "kannel-pw"
from = "Rollcall"
"""


def test_kannel_brings_the_code_to_the_centre_and_its_report_back(serve, smsc, kannel, caller):
    listen = f"127.0.0.1:{free_port()}"
    smsc.order(receipts="after")
    server = serve(KANNEL.format(public="http://" + listen, base=kannel), listen=listen)
    client = caller(server)
    number = client.ask("44", "7700900122")
    # Kannel hands numbers on as they are written.
    sent = smsc.wait_for("submit", lambda it: it["to"].lstrip("+") == number[1:])
    assert sent["from"] == "Rollcall"
    client.register_with(re.search(r"\d{3}-\d{3}", sent["text"]).group())
    row = server.send_in(number, "delivered")
    assert row["provider_id"] == row["id"], "Kannel tells no id: ours comes back"


def reset(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def half(handler):
    handler.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{")
    handler.close_connection = True


def never(handler):
    """No answer until the caller has given up."""
    handler.close_connection = True
    handler.connection.settimeout(PATIENCE)
    try:
        while handler.rfile.read(1):
            pass
    except OSError:
        pass


def slow(handler):
    time.sleep(1.5)
    handler.give(201, {"Content-Type": "application/json"}, b'{"id":"slow"}')


HTML = (200, {"Content-Type": "text/html"}, b"<html>welcome</html>")
BUSY = (429, {"Retry-After": "1"}, b"")
NO = (400, {"Content-Type": "application/json"}, b"{}")


@pytest.mark.parametrize(("place", "answers", "state", "asked"), [
    (1, [slow], "handed_over", 1),
    (2, [reset], "handed_over", 2),
    (3, [half], "handed_over", 2),
    (4, [HTML], "handed_over", 2),
    (5, [BUSY], "handed_over", 2),
    (6, [never], "handed_over", 2),
    (7, [NO], "failed", 1),
], ids=["slow", "reset", "reset mid-response", "wrong content type", "429", "half-open", "refused"])
def test_a_bad_day_of_a_provider_loses_no_code(serve, provider, caller, place, answers, state, asked):
    provider.answers = list(answers)
    config = CUSTOM.format(base=provider.url)
    server = serve(config.replace("20s", "4s") if answers == [never] else config)
    client = caller(server)
    number = client.ask("44", f"770090013{place}")
    server.send_in(number, state)
    texts = {json.loads(body)["text"] for _, _, body in provider.asked}
    assert (len(provider.asked), len(texts)) == (asked, 1), "no more often than needed, and one code"
    if state == "handed_over":
        client.register_with(re.search(r"\d{3}-\d{3}", texts.pop()).group())
