"""What a history brings about, an On-Premises program sees as of the embedded registrar, although the registrar upstream
names nothing.

Each history is played against an embedded Rollcall and against gateways whose upstream is one with its names taken
away, as the real registrars have none: one code stands for all that can be wrong with a code, one for all limits. What the
program sees must be the same at every step, byte for byte but for ids and links, since a gateway knows what went
through it. Clocks stand still, and are turned together.
"""

import pytest

from callers import OnPremises

REGISTRARS = ["meta", "alibaba"]
NUMBER, OTHER, LANDLINE = "7700900123", "7700900124", "2079460123"
PIN, WRONG_PIN = "024680", "111111"
MINUTE, HOUR, DAY = 60, 3600, 86400


class Stage:
    """Two programs, the server they call, and the one that makes the codes."""

    def __init__(self, registrar, gateway, upstream, proxy):
        self.registrar, self.gateway, self.proxy = registrar, gateway, proxy
        self.codes = gateway if registrar == "embedded" else upstream
        for server in (gateway, upstream):
            server.reset()
            server.freeze()
        upstream.turn_to(gateway.now())
        if registrar != "embedded":
            gateway.forward(registrar, proxy.url)
        self.latest, self.code = {}, None
        self.first, self.second = OnPremises(gateway), OnPremises(gateway, "second")

    def advance(self, seconds):
        for server in {self.gateway, self.codes}:
            server.advance(seconds)

    def ask(self, program, national=NUMBER, method="sms", pin=None, moved=False):
        """Asks for a code, which has arrived when this returns."""
        answer = program.request_code(national, method, pin=pin)
        if answer[0] == 202:
            # Meta sends no code for a number that it has verified: then this side sends it.
            sender = self.gateway if moved and self.registrar == "meta" else self.codes
            key = (sender, national)
            self.latest[key], self.code = sender.next_code("+44" + national, self.latest.get(key))
        return answer

    def lose(self, operation):
        """The answer to the next such call does not arrive, wherever it is carried out."""
        calls = {
            ("meta", "verify"): "/verify_code", ("alibaba", "verify"): "ChatappVerifyAndRegister",
            ("meta", "request"): "/request_code", ("alibaba", "request"): "GetChatappVerifyCode",
        }
        if self.registrar != "embedded":
            self.proxy.arm("close", calls[self.registrar, operation])

    def unlock(self):
        """By the operators, here and there."""
        for server in {self.gateway, self.codes}:
            server.admin("POST", f"/numbers/%2B44{NUMBER}/unlock", status=200)

    def give_up(self):
        self.gateway.admin("POST", f"/numbers/%2B44{NUMBER}/deregister", status=200)


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def sms(stage):
    """wait before next code; SMS exhausted: every step of the ladder, too early and in time, and the day after."""
    for wait in (1 * MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE):
        yield stage.ask(stage.first)
        yield stage.ask(stage.first)
        stage.advance(wait - 1)
        yield stage.ask(stage.first)
        stage.advance(1)
    yield stage.ask(stage.first)
    yield stage.ask(stage.first)
    stage.advance(HOUR)
    yield stage.ask(stage.first)
    stage.advance(23 * HOUR)
    yield stage.ask(stage.first)


def calls(stage):
    """wait before next code; no voice left either."""
    yield stage.ask(stage.first)
    yield stage.ask(stage.first, method="voice")
    for wait in (1 * MINUTE, 1 * MINUTE, 5 * MINUTE):
        stage.advance(wait)
        yield stage.ask(stage.first, method="voice")
        yield stage.ask(stage.first, method="voice")
    stage.advance(2 * HOUR)
    yield stage.ask(stage.first, method="voice")
    yield stage.ask(stage.first)
    stage.advance(DAY)
    yield stage.ask(stage.first, method="voice")


def channel(stage):
    """channel not possible for this number."""
    yield stage.ask(stage.first, LANDLINE)
    yield stage.ask(stage.first, LANDLINE, "voice")
    yield stage.first.verify(LANDLINE, stage.code)


def missing(stage):
    """none pending: never asked for, empty, used, somebody else's."""
    yield stage.first.verify(NUMBER, "123456")
    yield stage.ask(stage.first)
    code = stage.code
    yield stage.second.verify(NUMBER, code)
    yield stage.first.verify(NUMBER, "")
    yield stage.first.verify(NUMBER, code)
    yield stage.first.verify(NUMBER, code)


def expired(stage):
    """none pending: the code's ten minutes are over."""
    yield stage.ask(stage.first)
    stage.advance(599)
    yield stage.first.verify(NUMBER, wrong(stage.code))
    stage.advance(1)
    yield stage.first.verify(NUMBER, stage.code)
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, stage.code)


def expired_after_another_send(stage):
    """none pending: the code that was sent again has the life of the first."""
    yield stage.ask(stage.first)
    stage.advance(MINUTE)
    yield stage.ask(stage.first)
    stage.advance(9 * MINUTE)
    yield stage.first.verify(NUMBER, stage.code)
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, stage.code)


def five_guesses(stage):
    """The guesses of a code, each too early as well where it has to wait."""
    code = stage.code
    for wait in (0, 0, 0, 1 * MINUTE, 2 * MINUTE):
        if wait:
            yield stage.first.verify(NUMBER, code)
            stage.advance(wait)
        yield stage.first.verify(NUMBER, wrong(code))


def guesses(stage):
    """code wrong; a guess too early; out of guesses, and a new code helps."""
    yield stage.ask(stage.first)
    yield from five_guesses(stage)
    yield stage.first.verify(NUMBER, stage.code)
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, wrong(stage.code))
    yield stage.first.verify(NUMBER, stage.code)


def guesses_of_a_day(stage):
    """Twenty wrong guesses, and the day's are used."""
    for wait in (2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 0):
        yield stage.ask(stage.first)
        yield from five_guesses(stage)
        stage.advance(wait)
    yield stage.ask(stage.first)
    stage.advance(10 * MINUTE)
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, stage.code)
    stage.advance(DAY)
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, stage.code)


def locked(stage):
    """A hundred wrong guesses in a row, over days: an operator has to unlock the number."""
    for _ in range(5):
        for wait in (2 * MINUTE, 5 * MINUTE, 10 * MINUTE, DAY):
            yield stage.ask(stage.first)
            yield from five_guesses(stage)
            stage.advance(wait)
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, "123456")
    stage.unlock()
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, stage.code)


def pin(stage):
    """PIN missing, wrong, locked; and right once it opens."""
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, stage.code)
    yield stage.first.set_pin(NUMBER, PIN)
    stage.advance(MINUTE)
    yield stage.ask(stage.second)
    for _ in range(11):
        yield stage.ask(stage.second, pin=WRONG_PIN)
    yield stage.ask(stage.second, pin=PIN, moved=True)
    stage.advance(HOUR)
    yield stage.ask(stage.second, pin=PIN, moved=True)
    stage.advance(DAY)
    yield stage.ask(stage.second, pin=PIN, moved=True)
    yield stage.second.verify(NUMBER, stage.code)
    yield stage.ask(stage.second)


def pin_of_a_number_given_up(stage):
    """The PIN stays in force when the registration is gone."""
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, stage.code)
    yield stage.first.set_pin(NUMBER, PIN)
    stage.give_up()
    stage.advance(15 * DAY)
    yield stage.ask(stage.first)
    yield stage.ask(stage.first, pin=WRONG_PIN)
    yield stage.ask(stage.first, pin=PIN)
    yield stage.first.verify(NUMBER, stage.code)


def register_limit(stage):
    """Ten registrations within 72 hours, by moving between two clients."""
    programs = [stage.first, stage.second]
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, stage.code)
    for move in range(1, 11):
        stage.advance(10 * MINUTE if move % 5 else DAY)
        program = programs[move % 2]
        yield stage.ask(program, moved=True)
        yield program.verify(NUMBER, stage.code)


def a_lost_answer_to_a_guess(stage):
    """code wrong, a guess too early, out of guesses: also where an answer did not arrive."""
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, wrong(stage.code))
    yield stage.first.verify(NUMBER, wrong(stage.code))
    stage.lose("verify")
    stage.first.verify(NUMBER, wrong(stage.code))
    # An answer that may still come is waited for.
    stage.advance(16)
    yield stage.first.verify(NUMBER, wrong(stage.code))
    stage.advance(44)
    yield stage.first.verify(NUMBER, wrong(stage.code))
    stage.advance(2 * MINUTE)
    yield stage.first.verify(NUMBER, wrong(stage.code))
    yield stage.first.verify(NUMBER, stage.code)
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, stage.code)


def a_lost_answer_to_a_request(stage):
    """wait before next code: also where nobody heard that the last one was sent."""
    stage.lose("request")
    stage.ask(stage.first)
    yield stage.ask(stage.first)
    stage.advance(MINUTE)
    yield stage.ask(stage.first)
    yield stage.first.verify(NUMBER, wrong(stage.code))
    yield stage.first.verify(NUMBER, stage.code)


SCENARIOS = [
    sms, calls, channel, missing, expired, expired_after_another_send, guesses, a_lost_answer_to_a_guess,
    a_lost_answer_to_a_request, guesses_of_a_day, locked, pin,
    pin_of_a_number_given_up, register_limit,
]


@pytest.fixture(scope="module")
def measure(world):
    """What the program sees of the embedded registrar, once per history."""
    known = {}

    def of(scenario):
        if scenario not in known:
            known[scenario] = list(scenario(Stage("embedded", *world)))
        return known[scenario]

    return of


@pytest.mark.parametrize("registrar", REGISTRARS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda it: it.__name__)
def test_the_same_history_is_answered_alike(world, measure, scenario, registrar):
    wanted = measure(scenario)
    seen = list(scenario(Stage(registrar, *world)))
    for step, (had, want) in enumerate(zip(seen, wanted, strict=True)):
        assert had == want, f"step {step}"
