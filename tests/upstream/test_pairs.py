"""Every pair of dialect and registrar plays the same scenarios, and the caller must not see the difference.

What a caller sees of the embedded registrar is the measure: with the number's authority elsewhere, the same
program gets the same answers, byte for byte but for ids and links.
"""

import pytest

from callers import CALLERS, OnPremises
from rollcalls import Rollcall

REGISTRARS = ["embedded", "meta", "alibaba"]


class Stage:
    """A caller, the server it calls, and the one that makes the codes."""

    def __init__(self, dialect, registrar, gateway, upstream):
        self.gateway, self.registrar = gateway, registrar
        self.codes = gateway if registrar == "embedded" else upstream
        gateway.reset()
        upstream.reset()
        for server in (gateway, upstream):
            server.freeze()
        upstream.turn_to(gateway.now())
        if registrar != "embedded":
            gateway.forward(registrar, upstream.url)
        self.caller = CALLERS[dialect](gateway)
        self.other = CALLERS[dialect](gateway, "second")
        self.dialect = dialect
        self.latest = None

    def advance(self, seconds):
        for server in {self.gateway, self.codes}:
            server.advance(seconds)

    def code_of_a_move(self, national):
        """Meta sends no code for a number that it has verified: then this side sends it."""
        if self.registrar != "meta":
            return self.code(national)
        return self.gateway.next_code("+44" + national)[1]

    def registrations_there(self):
        return len(self.codes.events("registered"))

    def code(self, national):
        self.latest, code = self.codes.next_code("+44" + national, self.latest)
        return code


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


NUMBER = "7700900123"


def register(stage):
    """From nothing to a registered number, and once more."""
    yield stage.caller.add(NUMBER)
    yield stage.caller.request_code(NUMBER)
    yield stage.caller.verify(NUMBER, stage.code(NUMBER))
    if stage.dialect == "onprem":
        yield stage.caller.request_code(NUMBER)
    else:
        yield stage.caller.register(NUMBER)


def wrong_code(stage):
    """A wrong code costs a guess; the right one still works."""
    stage.caller.add(NUMBER)
    yield stage.caller.request_code(NUMBER)
    code = stage.code(NUMBER)
    yield stage.caller.verify(NUMBER, wrong(code))
    yield stage.caller.verify(NUMBER, wrong(code))
    yield stage.caller.verify(NUMBER, code)


def out_of_guesses(stage):
    """Five wrong codes, with their waits: then the code is dead, also the right one."""
    stage.caller.add(NUMBER)
    yield stage.caller.request_code(NUMBER)
    code = stage.code(NUMBER)
    for wait in (0, 0, 0, 61, 121):
        stage.advance(wait)
        yield stage.caller.verify(NUMBER, wrong(code))
    yield stage.caller.verify(NUMBER, code)


def expired(stage):
    """A code lives ten minutes."""
    stage.caller.add(NUMBER)
    yield stage.caller.request_code(NUMBER)
    code = stage.code(NUMBER)
    stage.advance(601)
    yield stage.caller.verify(NUMBER, code)


def none_pending(stage):
    """Nothing was asked for, so nothing can be confirmed."""
    stage.caller.add(NUMBER)
    yield stage.caller.verify(NUMBER, "123456")


def too_soon(stage):
    """Codes have distances, by SMS and by voice, and come to an end."""
    stage.caller.add(NUMBER)
    yield stage.caller.request_code(NUMBER)
    yield stage.caller.request_code(NUMBER)
    yield stage.caller.request_code(NUMBER, "voice")
    for wait in (61, 121, 301, 601):
        stage.advance(wait)
        yield stage.caller.request_code(NUMBER)
    stage.advance(601)
    yield stage.caller.request_code(NUMBER)


def landline(stage):
    """A landline takes calls only."""
    stage.caller.add("2079460123")
    yield stage.caller.request_code("2079460123")
    yield stage.caller.request_code("2079460123", "voice")
    yield stage.caller.verify("2079460123", stage.code("2079460123"))


def register_limit(stage):
    """Ten registrations in 72 hours, then no more."""
    stage.caller.add(NUMBER)
    stage.caller.request_code(NUMBER)
    yield stage.caller.verify(NUMBER, stage.code(NUMBER))
    if stage.dialect == "onprem":
        return
    for _ in range(10):
        yield stage.caller.register(NUMBER)


def pin(stage):
    """Two-step verification: missing, wrong, right, locked."""
    if stage.dialect == "cams":
        return
    stage.caller.add(NUMBER)
    stage.caller.request_code(NUMBER)
    yield stage.caller.verify(NUMBER, stage.code(NUMBER))
    yield stage.caller.set_pin(NUMBER, "024680")
    if stage.dialect == "onprem":
        stage.advance(61)
        yield stage.other.request_code(NUMBER)
        yield stage.other.request_code(NUMBER, pin="111111")
        yield stage.caller.request_code(NUMBER, pin="024680")
        for _ in range(11):
            yield stage.caller.request_code(NUMBER, pin="111111")
        yield stage.caller.request_code(NUMBER, pin="024680")
    else:
        yield stage.caller.register(NUMBER, "111111")
        yield stage.caller.register(NUMBER, "024680")
        for _ in range(7):
            yield stage.caller.register(NUMBER, "111111")
        yield stage.caller.register(NUMBER, "024680")


def cleared_pin(stage):
    """Switched off, no PIN is asked for any more."""
    if stage.dialect != "onprem":
        return
    stage.caller.request_code(NUMBER)
    yield stage.caller.verify(NUMBER, stage.code(NUMBER))
    yield stage.caller.set_pin(NUMBER, "024680")
    yield stage.caller.clear_pin(NUMBER)
    yield stage.caller.request_code(NUMBER)


def deregister(stage):
    """Given up, and given up again."""
    if stage.dialect == "onprem":
        return
    stage.caller.add(NUMBER)
    yield stage.caller.deregister(NUMBER)
    stage.caller.request_code(NUMBER)
    yield stage.caller.verify(NUMBER, stage.code(NUMBER))
    yield stage.caller.deregister(NUMBER)
    yield stage.caller.deregister(NUMBER)


def not_verified(stage):
    """Registration before any proof."""
    if stage.dialect == "onprem":
        return
    stage.caller.add(NUMBER)
    yield stage.caller.register(NUMBER)


def moved(stage):
    """To another client of the same account: with the PIN and a code, whoever sends it. Nothing changes there."""
    if stage.dialect != "onprem":
        return
    stage.caller.request_code(NUMBER)
    yield stage.caller.verify(NUMBER, stage.code(NUMBER))
    yield stage.caller.set_pin(NUMBER, "024680")
    stage.advance(61)
    before = stage.registrations_there()
    yield stage.other.request_code(NUMBER)
    yield stage.other.request_code(NUMBER, pin="024680")
    code = stage.code_of_a_move(NUMBER)
    yield stage.other.verify(NUMBER, wrong(code))
    yield stage.other.verify(NUMBER, code)
    yield stage.other.request_code(NUMBER, pin="024680")
    stage.advance(61)
    yield stage.caller.request_code(NUMBER, pin="024680")
    assert stage.registrar != "meta" or stage.registrations_there() == before


def taken_back(stage):
    """By a caller of another dialect, whose platform is the hosted one: with a code again."""
    if stage.dialect != "cams":
        return
    program = OnPremises(stage.gateway)
    program.request_code(NUMBER)
    assert program.verify(NUMBER, stage.code(NUMBER))[0] == 201
    stage.advance(61)
    yield stage.caller.request_code(NUMBER)
    yield stage.caller.verify(NUMBER, stage.code_of_a_move(NUMBER))
    yield program.call("GET", "/v1/health")[0]


SCENARIOS = [
    register, wrong_code, out_of_guesses, expired, none_pending, too_soon, landline,
    register_limit, pin, cleared_pin, deregister, not_verified, moved, taken_back,
]


@pytest.fixture(scope="module")
def servers():
    gateway, upstream = Rollcall(), Rollcall()
    yield gateway, upstream
    gateway.stop()
    upstream.stop()


@pytest.fixture(scope="module")
def measure():
    """What callers see of the embedded registrar, once per dialect and scenario."""
    return {}


def play(dialect, registrar, scenario, servers):
    stage = Stage(dialect, registrar, *servers)
    return list(scenario(stage))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda it: it.__name__)
@pytest.mark.parametrize("dialect", CALLERS)
@pytest.mark.parametrize("registrar", REGISTRARS)
def test_the_caller_sees_no_difference(registrar, dialect, scenario, servers, measure):
    seen = play(dialect, registrar, scenario, servers)
    if registrar == "embedded":
        assert measure.setdefault((dialect, scenario), seen) == seen
        return
    expected = measure.get((dialect, scenario))
    if expected is None:
        expected = play(dialect, "embedded", scenario, servers)
    for step, (had, wanted) in enumerate(zip(seen, expected, strict=True)):
        assert had == wanted, f"step {step}"
