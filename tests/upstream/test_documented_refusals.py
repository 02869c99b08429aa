"""What Meta documents as refusals reaches an On-Premises program in the bytes of the embedded registrar.

Each request of ours is first validated by Prism against Meta's published description. Then the answer is

- an error example of that description, which Prism is told to give (`Prefer: code=…`); or
- an error of Meta's prose documentation (the description has none of the registration codes), in the envelope
  documented there. These carry no name of a refusal, as Meta's do not.

What a program sees is compared with what the embedded registrar of another Rollcall tells it, made to refuse by its
magic numbers. Where a wait is part of the words, it is the one that Meta names, or the one documented for it.
"""

import json
import re

import pytest

from callers import OnPremises
from faults import Proxy
from prism import DESCRIPTION, Prism
from rollcalls import WABA, Rollcall

NATIONAL, NUMBER, PIN = "7700900180", "+447700900180", "024680"
TRACE = "AXsgnV2Cm3ZMGF3dF_cfYIn"


class Documented(Proxy):
    """In front of Prism: for requests that match, what Prism shall prefer, or what is said in its place."""

    def __init__(self, prism):
        super().__init__(prism.url)
        self.said = []

    def say(self, match, prefer=None, error=None, status=400, times=1000):
        with self.lock:
            self.said.append([match, prefer, error, status, times])

    def be_quiet(self):
        with self.lock:
            self.said = []

    def forward(self, handler, body):
        name = handler.command + " " + handler.path
        with self.lock:
            found = next((it for it in self.said if it[4] > 0 and re.search(it[0], name)), None)
            if found:
                found[4] -= 1
        if found and found[1]:
            handler.headers["Prefer"] = found[1]
        status, headers, answer = super().forward(handler, body)
        if found and found[2]:
            # What the description does not allow was refused before: that is what must be seen then.
            if b"UNPROCESSABLE_ENTITY" in answer or "problem+json" in str(headers):
                return status, headers, answer
            text = json.dumps({"error": found[2] | {"type": "OAuthException", "fbtrace_id": TRACE}})
            return found[3], [("content-type", "application/json; charset=UTF-8")], text.encode()
        return status, headers, answer


@pytest.fixture(scope="module")
def prism():
    started = Prism()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def servers():
    gateway, embedded = Rollcall(), Rollcall()
    yield gateway, embedded
    gateway.stop()
    embedded.stop()


@pytest.fixture
def meta(prism, servers):
    """A gateway with nothing in it, in front of what is documented. Each has an address of its own, so that a limit of
    one is no limit of the next."""
    gateway, embedded = servers
    proxy = Documented(prism)
    for server in servers:
        server.reset()
        server.freeze()
    gateway.forward("meta", proxy.url)
    yield proxy
    proxy.stop()


REQUEST_CODE, VERIFY_CODE = r"POST /v25.0/\d+/request_code", r"POST /v25.0/\d+/verify_code"
REGISTER, SET_PIN = r"POST /v25.0/\d+/register", r"POST /v25.0/\d+$"
LIST, ADD = rf"GET /v25.0/{WABA}/phone_numbers", rf"POST /v25.0/{WABA}/phone_numbers"


def graph(code, message, subcode=None, details=None, **more):
    error = {"message": message, "code": code} | more
    if subcode:
        error["error_subcode"] = subcode
    if details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": details}
    return error


SEND, CHECK = "Request code error", "Verify code error"
MISMATCH = "(#133005) Two step verification PIN Mismatch"
LIMIT = "(#133016) Account register deregister rate limit exceeded"

# Refusal, where it meets the program, what is said, with which status, whether the program gives a PIN; the
# wait, where the words have one.
REFUSALS = [
    ("code-too-soon", REQUEST_CODE, graph(136024, SEND, 2388091), 400, None, (1, 0)),
    ("sms-exhausted", REQUEST_CODE, graph(136024, SEND, 2388367), 400, None, (24, 0)),
    ("code-mismatch", VERIFY_CODE, graph(136025, CHECK, 2388093), 400, None, None),
    ("not-verified", REGISTER, graph(133006, "(#133006) Phone number re-verification needed"), 400, None, None),
    ("pin-required", REGISTER, graph(133005, MISMATCH), 400, None, None),
    ("pin-mismatch", REGISTER, graph(133005, MISMATCH), 400, PIN, None),
    ("pin-locked", REGISTER, graph(133008, "(#133008) Too many guesses", details="Try again in 12 hours"),
     400, PIN, (12, 0)),
    ("pin-locked", REGISTER, graph(133009, "(#133009) Guessed too fast", details="Wait 2 minutes"),
     400, PIN, (0, 2)),
    ("register-limit", REGISTER, graph(133016, LIMIT), 400, None, (72, 0)),
    ("register-limit", REGISTER, graph(133016, LIMIT, details="wait 50 hours 30 minutes"), 400, None, (50, 30)),
    ("too-many-requests", REQUEST_CODE, graph(80007, "(#80007) Rate limit issues"), 400, None, None),
    ("too-many-requests", REQUEST_CODE, graph(80008, "(#80008) Rate limit issues"), 400, None, None),
    ("too-many-requests", REQUEST_CODE, graph(4, "Application request limit reached"), 429, None, None),
]
UNAVAILABLE = [
    (REQUEST_CODE, graph(133004, "(#133004) Server temporarily unavailable"), 503),
    (REQUEST_CODE, graph(2, "Service temporarily unavailable", is_transient=True), 503),
    (VERIFY_CODE, graph(131016, "(#131016) Service unavailable"), 500),
    (REGISTER, graph(131000, "(#131000) Something went wrong"), 500),
    (REGISTER, graph(133015, "(#133015) Please wait a few minutes"), 400),
    (REQUEST_CODE, graph(190, "Error validating access token: Session has expired", 463), 401),
    (REQUEST_CODE, graph(104, "An access token is required to request this resource"), 401),
]
IN_THEIR_WORDS = [
    (REGISTER, graph(100, "Invalid parameter", 2388001, error_user_title="Cannot Create Certificate",
                     error_user_msg="The number is registered to an existing account."), "100/2388001"),
    (REGISTER, graph(100, "Register endpoint is not available for SMB businesses."), "100"),
    (REGISTER, graph(131031, "(#131031) Business Account locked"), "131031"),
    (ADD, graph(200000, "Cannot add phone number to WABA"), "200000"),
    (REQUEST_CODE, graph(200, "Requires whatsapp_business_management permission"), "200"),
]


# An On-Premises program confirms and registers in one call: for it, what is missing is a code.
EMBEDDED = {"not-verified": "code-missing"}


def named(value):
    return str(value.get("code")) if isinstance(value, dict) else str(value)


def ask(gateway, pin=None):
    """Registers as an On-Premises program does, up to the first answer that is no success."""
    caller = OnPremises(gateway)
    answer = caller.request_code(NATIONAL, pin=pin)
    return caller.verify(NATIONAL, "123456") if answer[0] == 202 else answer


def embedded_answer(embedded, refusal):
    """The bytes that the embedded registrar has for a refusal, which a magic number of it provokes."""
    entries = embedded.get("/sandbox/v1/magic-numbers")["magic_numbers"]
    operations = ("request_code", "verify_code", "register")
    entry = next(it for it in entries if it["refusal"] == refusal and it["operation"] in operations)
    caller, number = OnPremises(embedded), entry["number"]
    national = number[3:]
    answer = caller.request_code(national, entry["method"] or "sms", cc=number[1:3])
    return caller.verify(national, embedded.next_code(number)[1]) if answer[0] == 202 else answer


@pytest.mark.parametrize("refusal, where, error, status, pin, wait", REFUSALS, ids=named)
def test_a_documented_refusal_is_seen_as_the_embedded_registrars(
        prism, servers, meta, refusal, where, error, status, pin, wait):
    gateway, embedded = servers
    before = len(prism.violations())
    meta.say(where, error=error, status=status)
    seen = ask(gateway, pin)
    wanted = embedded_answer(embedded, EMBEDDED.get(refusal, refusal))
    if wait is not None:
        text = wanted[1]["errors"][0]["details"]
        wanted[1]["errors"][0]["details"] = re.sub(
            r"\d+ hour\(s\) \d+ minute\(s\)", f"{wait[0]} hour(s) {wait[1]} minute(s)", text)
        assert wanted[1]["errors"][0]["details"].startswith("Please wait"), wanted
    assert seen == wanted
    assert len(prism.violations()) == before
    # A second try of the same costs nothing there while the door is closed.
    if wait is not None:
        calls = len(meta.seen)
        again = OnPremises(gateway)
        answer = again.request_code(NATIONAL, pin=pin)
        assert answer == seen
        assert len(meta.seen) == calls


@pytest.mark.parametrize("where, error, status", UNAVAILABLE, ids=named)
def test_trouble_of_the_service_or_of_the_token_can_be_tried_again(servers, meta, where, error, status):
    gateway, embedded = servers
    meta.say(where, error=error, status=status)
    seen = ask(gateway)
    assert (seen[0], seen[1]["errors"][0]["code"]) == (503, 1016), seen
    # Once it is over, the same program gets through.
    meta.be_quiet()
    gateway.advance(61)
    caller = OnPremises(gateway)
    for _ in range(3):
        answer = caller.verify(NATIONAL, "123456") if where != REQUEST_CODE else ask(gateway)
        if answer[0] != 503:
            break
        gateway.advance(61)
    if error["code"] in (131000, 131016):
        # Whether it was carried out is read back; the example names another number, which proves nothing.
        assert answer[0] == 503
        return
    assert answer[0] == 201, answer


@pytest.mark.parametrize("where, error, code", IN_THEIR_WORDS, ids=named)
def test_what_has_no_counterpart_comes_in_metas_words_with_its_trace(servers, meta, where, error, code):
    gateway, _ = servers
    meta.say(where, error=error, status=403 if error["code"] == 200 else 400)
    status, body = ask(gateway)
    (told,) = body["errors"]
    assert (status, told["code"], told["title"]) == (403, 1005, "Access denied")
    assert error["message"] in told["details"] and f"({code}, trace {TRACE})" in told["details"], told


def test_what_the_rules_refuse_is_not_asked(servers, meta):
    """A landline by SMS, a code that nobody asked for, one that expired, five wrong ones."""
    gateway, embedded = servers
    for server in servers:
        caller = OnPremises(server)
        answers = [caller.request_code("2079460123"), caller.verify(NATIONAL, "123456")]
        assert answers == [
            (403, {"errors": [{"code": 1005, "title": "Access denied", "details": "Unknown error: no_routes"}]}),
            (403, {"errors": [{"code": 1005, "title": "Access denied",
                               "details": "Error checking code (missing)"}]})]
    assert not any("request_code" in name or "verify_code" in name for name in meta.seen)
    meta.say(VERIFY_CODE, error=graph(136025, CHECK, 2388093))
    answers = {}
    for server in servers:
        caller, number = OnPremises(server), "7700900181"
        assert caller.request_code(number)[0] == 202
        right = server.next_code("+44" + number)[1] if server is embedded else "123456"
        wrong = "000000" if right != "000000" else "000001"
        told = []
        for wait in (0, 0, 0, 61, 121, 0):
            server.advance(wait)
            told.append(caller.verify(number, wrong))
        # Dead, also for the right one.
        told.append(caller.verify(number, right))
        server.advance(601)
        told.append(caller.verify(number, right))
        answers[server is embedded] = told
    assert answers[False] == answers[True]
    assert "too_many_guesses" in str(answers[False])
    assert sum("verify_code" in name for name in meta.seen) == 5


DESCRIBED = {
    "list": (LIST, "/{Version}/{WABA-ID}/phone_numbers", "get"),
    "add": (ADD, "/{Version}/{WABA-ID}/phone_numbers", "post"),
    "request_code": (REQUEST_CODE, "/{Version}/{Phone-Number-ID}/request_code", "post"),
    "verify_code": (VERIFY_CODE, "/{Version}/{Phone-Number-ID}/verify_code", "post"),
    "register": (REGISTER, "/{Version}/{Phone-Number-ID}/register", "post"),
}


def examples():
    """Each error example of each call that a registration makes: the call, its status, its name, its error."""
    described = json.loads(DESCRIPTION.read_text())["paths"]
    for call, (_, path, method) in DESCRIBED.items():
        for status, response in described[path][method]["responses"].items():
            if status == "200":
                continue
            content = response["content"]["application/json"]
            shown = content.get("examples") or {None: {"value": content["example"]}}
            for name, example in shown.items():
                yield call, status, name, example["value"]["error"]


EXAMPLES = list(examples())


@pytest.mark.parametrize("call, status, name, error", EXAMPLES, ids=lambda it: named(it) if it else "")
def test_each_error_example_of_the_description_ends_in_an_answer(
        prism, servers, meta, call, status, name, error):
    """By its code: trouble of the service or the token may pass, limits say so, the rest is told in Meta's words."""
    gateway, _ = servers
    before = len(prism.violations())
    meta.say(DESCRIBED[call][0], prefer=f"code={status}" + (f", example={name}" if name else ""))
    seen, body = ask(gateway)
    assert any(re.search(DESCRIBED[call][0], it) for it in meta.seen), meta.seen
    (told,) = body["errors"]
    code = error["code"]
    if code in (2, 190):
        assert (seen, told["code"]) == (503, 1016), told
    elif code == 4:
        assert (seen, told["code"]) == (429, 1015), told
    elif code == 803:
        # The number is not there (any more): it is looked for, or added, at the next order.
        assert (seen, told["code"]) in ((403, 1005), (404, 1006), (503, 1016)), told
    else:
        assert code in (100, 200)
        assert (seen, told["code"]) == (403, 1005), told
        assert error["message"] in told["details"], told
    assert len(prism.violations()) == before
    # Nothing is registered, and nothing is believed to be.
    assert gateway.events("registered") == []


def test_a_number_that_is_gone_there_is_added_anew(servers, meta):
    """The description has 803 for it. The next order finds out and adds the number again."""
    gateway, _ = servers
    meta.say(REQUEST_CODE, prefer="code=404", times=1)
    assert ask(gateway)[0] == 403
    added = sum(bool(re.search(ADD, it)) for it in meta.seen)
    assert ask(gateway)[0] == 201
    assert sum(bool(re.search(ADD, it)) for it in meta.seen) == added + 1
