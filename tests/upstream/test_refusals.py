"""Every refusal of the registrar upstream reaches an On-Premises program in the words of the one table.

The upstream is made to say each by its magic numbers; what the program must see stands beside each number in
the list that the sandbox gives of them. Time stands still, so that waits are the same on both sides.

Another Rollcall names its refusal in a header, and nothing is lost on the way. The real registrars name less:
with those headers taken away, what must differ then is listed here, case by case.
"""

import time

import pytest

from callers import Graph, OnPremises
from rollcalls import Rollcall

REGISTRARS = ["meta", "alibaba"]
PIN = "024680"

# What the retired dialect alone knows: no certificate goes upstream, and none is retired there.
NOT_UPSTREAM = {"certificate-refused", "retired"}

UNAVAILABLE = (503, {"errors": [{
    "code": 1016, "title": "System overloaded",
    "details": "A part of the server is unavailable; the same request may work later"}]})


def denied(details):
    return 403, {"errors": [{"code": 1005, "title": "Access denied", "details": details}]}


MISMATCH = denied("Error checking code (mismatch)")
SOON = denied("Please wait 0 hour(s) 1 minute(s) before trying again")
SPENT = denied("Error checking code (too_many_guesses)")
PIN_WANTED = denied("Unknown error: security_code")

# What remains where the names are taken away. Magic makes the upstream say these without the history that they follow from in
# life; with it the gateway, through which it went, knows which is meant: see test_history.py.
#
# Meta has one code for all that can be wrong with a code (136025): of the first guess at a code that was asked for just
# now, it is read as "wrong". One that cannot be sent, without a subcode, is one that no way leads to if the number is not
# verified there. Alibaba has one code for limits of sends, which is read as the first wait, and one for limits of guesses,
# which no guess made through here explains; it knows no PIN, so none that is given can be wrong there or run out.
LESS = {
    ("meta", "verify_code", "code-missing"): MISMATCH,
    ("meta", "verify_code", "out-of-guesses"): MISMATCH,
    ("meta", "verify_code", "number-locked"): MISMATCH,
    ("meta", "request_code", "already-verified"): denied("Unknown error: no_routes"),
    ("alibaba", "request_code", "sms-exhausted"): SOON,
    ("alibaba", "request_code", "voice-exhausted"): SOON,
    ("alibaba", "request_code", "low-conversion"): SOON,
    ("alibaba", "request_code", "spend-limit"): SOON,
    ("alibaba", "verify_code", "guess-too-soon"): SPENT,
    ("alibaba", "verify_code", "guesses-exhausted"): SPENT,
    ("alibaba", "verify_code", "number-locked"): SPENT,
    ("alibaba", "request_code", "pin-locked"): PIN_WANTED,
    ("alibaba", "register", "pin-locked"): PIN_WANTED,
}
# Told in their own words, with their trace.
IN_THEIR_WORDS = {("alibaba", "already-added"), ("alibaba", "held-elsewhere"), ("alibaba", "not-migrating"),
                  ("alibaba", "name-declined"), ("meta", "not-migrating"), ("meta", "name-declined")}


def staged(registrar, world, named):
    """Both at the same moment, which stands still, with nothing in them."""
    gateway, upstream, proxy = world
    for server in (gateway, upstream):
        server.reset()
        server.freeze()
    upstream.turn_to(gateway.now())
    gateway.forward(registrar, upstream.url if named else proxy.url)
    return gateway, upstream


def listed():
    """The magic numbers of the operations that a registration has, each with its entry in the list."""
    server = Rollcall()
    try:
        entries = server.get("/sandbox/v1/magic-numbers")["magic_numbers"]
    finally:
        server.stop()
    operations = ("add_number", "request_code", "verify_code", "register")
    return [it for it in entries if it["operation"] in operations and it["refusal"] not in NOT_UPSTREAM]


LISTED = listed()


def named(entry):
    return f"{entry['operation']}-{entry['refusal'] or entry['number'][-2:]}"


def provoked(gateway, upstream, registrar, entry):
    answer = asked(gateway, upstream, registrar, entry)
    if entry["refusal"] == "too-many-requests":
        # Nothing is asked there for a while, of real time.
        wait_until(lambda: gateway.admin("POST", "/wabas/102290129340398/upstream/check").json()["reached"])
    return answer


def wait_until(holds, seconds=70):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.1)


def asked(gateway, upstream, registrar, entry):
    """What an On-Premises program sees when the upstream is asked for what the magic number disturbs."""
    caller, number = OnPremises(gateway), entry["number"]
    cc, national = (number[1:3], number[3:])
    # A wrong PIN is one that was given, and one is missing if none was.
    pin = PIN if entry["refusal"] in ("pin-mismatch", "pin-locked") else None
    if entry["operation"] == "register" and registrar == "alibaba":
        # Codes are confirmed and numbers registered in one call there, but for those that were confirmed before.
        already = Graph(upstream)
        already.prove(cc, national, lambda: upstream.next_code(number)[1])
    answer = caller.request_code(national, entry["method"] or "sms", pin=pin, cc=cc)
    if answer[0] != 202 or entry["operation"] in ("add_number", "request_code"):
        return answer
    return caller.verify(national, upstream.next_code(number)[1])


def expected(registrar, entry):
    if (registrar, entry["refusal"]) == ("alibaba", "pin-mismatch"):
        # No PIN goes there, so none was wrong: one is missing.
        return PIN_WANTED
    shown = entry["examples"]["onprem"]
    if entry["refusal"] is None:
        return UNAVAILABLE
    body = shown["body"]
    return shown["status"], {"errors": [
        {key: value for key, value in error.items() if key != "href"} for error in body["errors"]]}


@pytest.mark.parametrize("registrar", REGISTRARS)
@pytest.mark.parametrize("entry", LISTED, ids=named)
def test_the_program_sees_the_words_of_the_table(world, registrar, entry):
    gateway, upstream = staged(registrar, world, named=True)
    assert provoked(gateway, upstream, registrar, entry) == expected(registrar, entry)


@pytest.mark.parametrize("registrar", REGISTRARS)
@pytest.mark.parametrize("entry", LISTED, ids=named)
def test_what_the_real_registrars_do_not_name_is_read_from_their_codes(world, registrar, entry):
    gateway, upstream = staged(registrar, world, named=False)
    status, body = answer = provoked(gateway, upstream, registrar, entry)
    case = (registrar, entry["refusal"])
    if case in IN_THEIR_WORDS:
        assert status == 403 and "trace " in body["errors"][0]["details"], body
        return
    less = LESS.get((registrar, entry["operation"], entry["refusal"]))
    assert answer == (less or expected(registrar, entry))
    assert less != expected(registrar, entry), "nothing is lost any more"


@pytest.mark.parametrize("registrar", ["embedded", *REGISTRARS])
def test_what_concerns_the_client_here_is_refused_here(world, registrar):
    """Retired by the sandbox's switch, a user who is no admin, too many requests: whoever the registrar is."""
    gateway, upstream = staged(registrar if registrar != "embedded" else "meta", world, named=True)
    if registrar == "embedded":
        gateway.admin("DELETE", "/wabas/102290129340398/upstream")
    admin = OnPremises(gateway)
    assert admin.call("POST", "/v1/users", {"username": "clerk", "password": "Clerk-of-all-1!"})[0] == 201
    clerk = OnPremises(gateway, user=("clerk", "Clerk-of-all-1!"))
    no_admin = clerk.request_code("7700900140")
    assert no_admin == denied("User doesn't have permission")
    assert gateway.admin("PATCH", "/clients/first", {"retired": True}).status_code == 200
    assert admin.request_code("7700900140") == denied("Unknown error: biz_link_on_prem_reg_blocked")
    assert upstream.events("code_requested") == []
