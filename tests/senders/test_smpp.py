"""Registrations whose code travels through a message centre that is not ours."""

import re
import time

from conftest import eventually

CONFIG = """
[senders.main]
type = "smpp"
timeout = "20s"
address = "127.0.0.1:{port}"
system_id = "rollcall"
password = "secret"
originator = "Rollcall"
"""


def code_in(text):
    return re.search(r"\b\d{3}-\d{3}\b", text).group()


def test_a_number_is_registered_with_the_code_that_the_centre_got(serve, smsc, caller):
    smsc.order(receipts="after")
    server = serve(CONFIG.format(port=smsc.port))
    assert smsc.wait_for("bind") == {"version": 0x34, "known": True}
    client = caller(server)
    number = client.ask("44", "7700900101")
    sent = smsc.wait_for("submit")
    assert (sent["to"], sent["ton"], sent["from"]) == (number[1:], 1, "Rollcall")
    assert (sent["data_coding"], sent["registered_delivery"]) == (0, 1)
    client.register_with(code_in(sent["text"]))
    smsc.wait_for("acknowledged")
    row = server.send_in(number, "delivered")
    assert (row["sender"], row["provider_id"], row["attempts"]) == ("main", "m1", 1)
    assert server.stop() == 0
    smsc.wait_for("unbind")
    assert len(smsc.submits(number)) == 1


def test_a_text_outside_the_short_alphabet_arrives_as_it_is(serve, smsc, caller):
    server = serve(CONFIG.format(port=smsc.port))
    client = caller(server)
    client.ask("7", "9161234567")
    sent = smsc.wait_for("submit")
    assert sent["data_coding"] == 8, sent
    assert re.search("[а-я]", sent["text"]), sent
    client.register_with(code_in(sent["text"]))


def test_throttling_and_refusals_are_told_apart(serve, smsc, caller):
    server = serve(CONFIG.format(port=smsc.port))
    smsc.wait_for("bind")
    client = caller(server)
    smsc.order(next=["throttle"])
    begun = time.monotonic()
    number = client.ask("44", "7700900102")
    server.send_in(number, "handed_over")
    assert time.monotonic() - begun >= 0.9, "it was left alone for a second"
    throttled, taken = smsc.submits(number)
    assert (throttled["order"], taken["order"]) == ("throttle", "take")
    assert throttled["text"] == taken["text"], "the same code"
    client.register_with(code_in(taken["text"]))

    smsc.order(next=["refuse"])
    number = client.ask("44", "7700900103")
    row = server.send_in(number, "failed")
    assert "ESME_RINVDSTADR" in row["reason"], row
    assert len(smsc.submits(number)) == 1


def test_a_link_that_drops_is_made_again_and_the_code_arrives(serve, smsc, caller):
    server = serve(CONFIG.format(port=smsc.port))
    smsc.wait_for("bind")
    client = caller(server)
    smsc.order(next=["drop"])
    number = client.ask("44", "7700900104")
    row = server.send_in(number, "handed_over")
    lost, taken = smsc.submits(number)
    assert lost["text"] == taken["text"], "at least once, and the same code"
    assert row["sender"] == "main"
    client.register_with(code_in(taken["text"]))


def test_a_centre_that_restarts_loses_nothing(serve, smsc, caller):
    server = serve(CONFIG.format(port=smsc.port))
    client = caller(server)
    smsc.wait_for("bind")
    smsc.order(restart=True)
    number = client.ask("44", "7700900105")
    row = server.send_in(number, "handed_over")
    assert row["provider_id"] == "m1"
    (taken,) = smsc.submits(number)
    client.register_with(code_in(taken["text"]))


def test_a_centre_that_does_not_answer_is_asked_again(serve, smsc, caller):
    server = serve(CONFIG.format(port=smsc.port).replace("20s", "4s"))
    smsc.wait_for("bind")
    client = caller(server)
    smsc.order(next=["silence"])
    number = client.ask("44", "7700900106")
    server.send_in(number, "handed_over")
    silent, taken = smsc.submits(number)
    assert silent["text"] == taken["text"]
    client.register_with(code_in(taken["text"]))


def test_a_slow_centre_is_waited_for(serve, smsc, caller):
    server = serve(CONFIG.format(port=smsc.port))
    smsc.wait_for("bind")
    client = caller(server)
    smsc.order(next=["slow"])
    number = client.ask("44", "7700900107")
    row = server.send_in(number, "handed_over")
    (taken,) = smsc.submits(number)
    assert row["attempts"] == 1
    client.register_with(code_in(taken["text"]))


def test_receipts_count_early_twice_and_not_for_others(serve, smsc, caller):
    server = serve(CONFIG.format(port=smsc.port))
    smsc.wait_for("bind")
    client = caller(server)
    for place, order in enumerate(["before", "twice", "unknown"]):
        smsc.order(receipts=order)
        number = client.ask("44", f"77009001{10 + place}")
        row = server.send_in(number, "delivered")
        assert (row["provider_id"], row["attempts"]) == (f"m{place + 1}", 1), order
        assert len(smsc.submits(number)) == 1
    told = eventually("all acknowledged", lambda: [
        it["acknowledged"] for it in smsc.said if "acknowledged" in it][:5] if sum(
        "acknowledged" in it for it in smsc.said) >= 5 else None)
    assert sorted(told) == ["m1", "m2", "m2", "m3", "nobody"]
