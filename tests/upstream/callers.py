"""Programs of the three dialects, written from the references, that do the same things to a number.

Each answers with what its program sees: status and body, without what differs from call to call (ids, links,
traces, the server's version).
"""

import hashlib
import hmac
import pathlib
import sys
import urllib.parse
import uuid
from datetime import datetime, timezone

import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
from certificate import certificate  # noqa: E402

from rollcalls import KEY_ID, KEY_SECRET, PASSWORD, SECOND, SPACE, TOKEN, WABA  # noqa: E402

NAME = "Lucky Shrub"
CC = "44"


class OnPremises:
    """A program for the retired client, `/v1/account`."""

    dialect = "onprem"

    def __init__(self, server, client="first", user=None):
        self.base = f"{server.url}/clients/{client}"
        self.session = requests.Session()
        user = user or ("admin", PASSWORD if client == "first" else SECOND)
        reply = self.session.post(self.base + "/v1/users/login", auth=user, timeout=120)
        assert reply.status_code == 200, reply.text
        token = reply.json()["users"][0]["token"]
        self.session.headers["Authorization"] = "Bearer " + token

    def call(self, method, path, body=None):
        reply = self.session.request(method, self.base + path, json=body, timeout=120)
        if not reply.content:
            return reply.status_code, None
        body = reply.json()
        body.pop("meta", None)
        for error in body.get("errors", []):
            error.pop("href", None)
        return reply.status_code, body

    def request_code(self, national, method="sms", pin=None, cc=CC):
        body = {"cc": cc, "phone_number": national, "method": method, "cert": certificate(NAME)}
        return self.call("POST", "/v1/account", body | ({"pin": pin} if pin else {}))

    def verify(self, national, code, pin=None):
        return self.call("POST", "/v1/account/verify", {"code": code})

    def set_pin(self, national, pin):
        return self.call("POST", "/v1/settings/account/two-step", {"pin": pin})

    def clear_pin(self, national):
        return self.call("DELETE", "/v1/settings/account/two-step")

    def add(self, national):
        return None


class Cams:
    """A program for Alibaba's API, signed the ACS3 way."""

    dialect = "cams"

    def __init__(self, server, client=None):
        self.url, self.host = server.url, server.url.split("://")[1]
        self.now = lambda: requests.get(server.url + "/sandbox/v1/clock", timeout=120).json()["now"]

    def call(self, action, **parameters):
        parameters = {"CustSpaceId": SPACE} | parameters
        quote = lambda text: urllib.parse.quote(text, safe="-_.~")
        query = "&".join(f"{quote(k)}={quote(v)}" for k, v in sorted(parameters.items()))
        moment = datetime.fromisoformat(self.now().replace("Z", "+00:00")).astimezone(timezone.utc)
        digest = hashlib.sha256(b"").hexdigest()
        headers = {
            "host": self.host, "x-acs-action": action, "x-acs-version": "2020-06-06",
            "x-acs-date": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": uuid.uuid4().hex, "x-acs-content-sha256": digest,
        }
        names = ";".join(sorted(headers))
        canonical = "\n".join(
            ["POST", "/", query] + [f"{name}:{headers[name]}" for name in sorted(headers)]
            + ["", names, digest])
        text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
        signature = hmac.new(KEY_SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        headers["Authorization"] = (
            f"ACS3-HMAC-SHA256 Credential={KEY_ID},SignedHeaders={names},Signature={signature}")
        reply = requests.post(f"{self.url}/?{query}", headers=headers, timeout=120)
        body = reply.json()
        for changing in ("RequestId", "HostId", "Recommend"):
            body.pop(changing, None)
        return reply.status_code, body

    def add(self, national):
        return self.call("AddChatappPhoneNumber", Cc=CC, PhoneNumber=national, VerifiedName=NAME)

    def request_code(self, national, method="sms", pin=None):
        return self.call(
            "GetChatappVerifyCode", PhoneNumber=CC + national, Method=method, Locale="en_US")

    def verify(self, national, code, pin=None):
        return self.call("ChatappVerifyAndRegister", PhoneNumber=CC + national, VerifyCode=code)

    def register(self, national, pin=None):
        return self.call("ChatappPhoneNumberRegister", PhoneNumber=CC + national)

    def deregister(self, national):
        return self.call("ChatappPhoneNumberDeregister", PhoneNumber=CC + national)


class Graph:
    """A program for the Cloud API."""

    dialect = "graph"

    def __init__(self, server, client=None):
        self.url = server.url + "/v25.0/"
        self.headers = {"Authorization": "Bearer " + TOKEN}

    def call(self, method, path, body=None, query=None):
        reply = requests.request(
            method, self.url + path, json=body, params=query, headers=self.headers, timeout=120)
        body = reply.json()
        if "error" in body:
            body["error"].pop("fbtrace_id", None)
            body["error"].pop("error_data", None)
        return reply.status_code, body

    def id(self, national):
        status, body = self.call("GET", f"{WABA}/phone_numbers", query={"limit": "100"})
        assert status == 200, body
        digits = lambda row: "".join(c for c in row["display_phone_number"] if c.isdigit())
        found = [row["id"] for row in body["data"] if digits(row) == CC + national]
        return found[0] if found else "0"

    def add(self, national):
        body = {"cc": CC, "phone_number": national, "verified_name": NAME}
        status, body = self.call("POST", f"{WABA}/phone_numbers", body)
        return status, sorted(body)

    def prove(self, cc, national, code):
        """Adds a number and confirms its code, without registering it."""
        body = {"cc": cc, "phone_number": national, "verified_name": NAME}
        status, answer = self.call("POST", f"{WABA}/phone_numbers", body)
        assert status == 200, answer
        body = {"code_method": "SMS", "language": "en_US"}
        assert self.call("POST", answer["id"] + "/request_code", body)[0] == 200
        assert self.call("POST", answer["id"] + "/verify_code", {"code": code()})[0] == 200

    def request_code(self, national, method="sms", pin=None):
        body = {"code_method": method.upper(), "language": "en_US"}
        return self.call("POST", self.id(national) + "/request_code", body)

    def verify(self, national, code, pin="123456"):
        """Confirms and registers, which this dialect does in two calls; the first failure is the answer."""
        phone = self.id(national)
        answer = self.call("POST", phone + "/verify_code", {"code": code})
        if answer[0] != 200:
            return answer
        return self.register(national, pin or "123456")

    def register(self, national, pin="123456"):
        body = {"messaging_product": "whatsapp", "pin": pin or "123456"}
        return self.call("POST", self.id(national) + "/register", body)

    def deregister(self, national):
        return self.call("POST", self.id(national) + "/deregister")

    def set_pin(self, national, pin):
        return self.call("POST", self.id(national), {"pin": pin})


CALLERS = {caller.dialect: caller for caller in (OnPremises, Cams, Graph)}


