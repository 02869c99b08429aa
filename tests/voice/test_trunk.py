"""What becomes of a call for everything that a trunk may say, against sipp, which checks each message of ours.

The calls that take long are made side by side.
"""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import call, telephones

BUSY, NO_ANSWER = 30, 60


def unavailable(reason, retry_after=-1):
    return [{"unavailable": reason, "retry_after": retry_after, "uncertain": False}]


@pytest.mark.parametrize(
    ("status", "more", "told"),
    [
        (486, "", unavailable("busy (486)", BUSY)),
        (600, "", unavailable("busy (600)", BUSY)),
        (480, "", unavailable("no answer (480)", NO_ANSWER)),
        (408, "", unavailable("no answer (408)", NO_ANSWER)),
        (503, "Retry-After: 18 (in a moment)", unavailable("the trunk has a problem (503)", 18)),
        (500, "", unavailable("the trunk has a problem (500)")),
        (603, "", [{"rejected": "declined (603)"}]),
        (404, "", [{"rejected": "there is no such number (404)"}]),
        (484, "", [{"rejected": "there is no such number (484)"}]),
        (403, "", [{"rejected": "the trunk does not allow this call (403)"}]),
        (488, "", [{"rejected": "the far side cannot play G.711 (488)"}]),
        (302, "Contact: <sip:voicemail@127.0.0.1>", [{"rejected": "the trunk answered 302"}]),
    ],
)
def test_a_refusal_is_told_for_what_it_is(place, scenario, status, more, told):
    trunk = place(telephones.Sipp, scenario("refuse"), status=status, more=more or "X-Nothing: 0")
    assert call(trunk.port) == told
    assert trunk.played_to_the_end(), trunk.messages()


def test_a_telephone_that_nobody_answers_stops_ringing(place, scenario):
    trunk = place(telephones.Sipp, scenario("rings"))
    assert call(trunk.port, ring_ms=1500, linger_ms=1500) == unavailable("no answer in 1 s", NO_ANSWER)
    assert trunk.played_to_the_end(), trunk.messages()
    assert "\nCANCEL sip:" in trunk.messages()


def test_who_no_longer_waits_takes_the_call_along(place, scenario):
    trunk = place(telephones.Sipp, scenario("rings"))
    assert call(trunk.port, give_up_after_ms=700, linger_ms=1500) == [{"given_up": True}]
    assert trunk.played_to_the_end(), trunk.messages()


def test_a_dead_trunk_is_given_up_soon():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        told = call(deaf.getsockname()[1])
    assert told == unavailable("the trunk does not answer")


def test_a_trunk_that_is_not_there_is_unavailable():
    # Taken, so that nobody moves in, and nobody listens.
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        (told,) = call(nobody.getsockname()[1], transport="tcp")
    assert "unavailable" in told and not told["uncertain"]


def test_a_wrong_password_is_the_trunks_trouble_and_not_the_messages(place, scenario):
    trunk = place(telephones.Sipp, scenario("asks_password"), password="right")
    told = call(trunk.port, username="rollcall", password="wrong")
    assert told == [{"rejected": "the trunk does not allow this call (403)"}]
    assert trunk.played_to_the_end(), trunk.messages()


DELIVERED = [{"handed_over": True}, {"receipt": "delivered"}]
HUNG_UP = [{"handed_over": True}, {"receipt": "failed", "reason": "hung up before the code was told in full"}]
LONG = {
    "answers": ("u1", {}, DELIVERED),
    "answers over TCP": ("t1", {"transport": "tcp"}, DELIVERED),
    "early_media": ("u1", {}, DELIVERED),
    "hangs_up_early": ("u1", {}, HUNG_UP),
    "hangs_up_late": ("u1", {}, DELIVERED),
    "presses_one": ("u1", {}, HUNG_UP),
    "no_codec": ("u1", {}, [{"rejected": "the answer cannot be used: it takes neither G.711 law"}]),
    "asks_password": ("u1", {"username": "rollcall", "password": "right"}, DELIVERED),
}


def test_answered_calls_end_as_they_should(place, scenario):
    trunks = {}
    for name, (transport, given, _) in LONG.items():
        known = scenario(name.split()[0])
        trunks[name] = place(telephones.Sipp, known, transport=transport, password="right")
    with ThreadPoolExecutor(len(LONG)) as pool:
        calls = {name: pool.submit(call, trunks[name].port, **given) for name, (_, given, _) in LONG.items()}
    told = {name: it.result() for name, it in calls.items()}
    assert told == {name: expected for name, (_, _, expected) in LONG.items()}
    for name, trunk in trunks.items():
        assert trunk.played_to_the_end(), f"{name}\n{trunk.messages()}"
