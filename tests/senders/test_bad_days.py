"""What no provider alone can do: the clock jumps, settings change under way, reports come at odd times."""

import datetime
import json
import re
import signal
import time

import requests
from conftest import PATIENCE, Provider, eventually
from test_http import CUSTOM, PUBLIC, TWILIO, form, report

AWAY = (503, {}, b"")


def clock(server, **order):
    reply = requests.post(server.url + "/sandbox/v1/clock", json=order, timeout=PATIENCE)
    assert reply.status_code == 200, reply.text


def now(server):
    told = requests.get(server.url + "/sandbox/v1/clock", timeout=PATIENCE).json()["now"]
    return datetime.datetime.fromisoformat(told)


def code_of(provider):
    (text,) = {json.loads(body)["text"] for _, _, body in provider.asked}
    return re.search(r"\d{3}-\d{3}", text).group()


def test_a_clock_that_runs_back_delays_a_send_and_neither_loses_nor_doubles_it(serve, provider, caller):
    provider.answers = [AWAY]
    server = serve(CUSTOM.format(base=provider.url), mode="sandbox")
    client = caller(server)
    clock(server, freeze=True)
    number = client.ask("44", "7700900501")
    eventually("the first try", lambda: server.sends(number)[0]["tries"])
    before = now(server)
    clock(server, set=(before - datetime.timedelta(hours=1)).isoformat())
    time.sleep(1.5)
    assert server.sends(number)[0]["state"] == "decided" and len(provider.asked) == 1
    clock(server, set=(before + datetime.timedelta(seconds=10)).isoformat())
    server.send_in(number, "handed_over")
    assert len(provider.asked) == 2
    # And once it is handed over, no clock brings it back.
    for hours in (-2, 5):
        clock(server, advance_seconds=hours * 3600) if hours > 0 else clock(
            server, set=(before + datetime.timedelta(hours=hours)).isoformat())
        time.sleep(0.7)
    assert server.sends(number)[0]["state"] == "handed_over" and len(provider.asked) == 2


def test_a_clock_that_jumps_ahead_ends_a_waiting_send_and_gives_its_step_back(serve, provider, caller):
    provider.answers = [AWAY]
    server = serve(CUSTOM.format(base=provider.url), mode="sandbox")
    client = caller(server)
    clock(server, freeze=True)
    number = client.ask("44", "7700900502")
    eventually("the first try", lambda: server.sends(number)[0]["tries"])
    clock(server, advance_seconds=2 * 3600)
    assert "expired" in server.send_in(number, "failed")["reason"]
    assert len(provider.asked) == 1, "nobody is sent a dead code"
    # The step was given back: another code goes at once.
    provider.asked.clear()
    client.ask("44", "7700900502")
    server.send_in(number, "handed_over")
    client.register_with(code_of(provider))


def test_a_restart_with_a_clock_that_was_turned_back_hands_nothing_over_again(serve, provider, caller):
    server = serve(CUSTOM.format(base=provider.url), mode="sandbox")
    client = caller(server)
    number = client.ask("44", "7700900503")
    server.send_in(number, "handed_over")
    clock(server, set=(now(server) - datetime.timedelta(hours=3)).isoformat())
    server.restart()
    time.sleep(1.2)
    assert server.sends(number)[0]["state"] == "handed_over" and len(provider.asked) == 1


ROUTED = """
[senders.one]
type = "http"
url = "{one}/send"
id = {{ json = "/id" }}
json = {{ to = "{{{{ to }}}}", text = "{{{{ text }}}}" }}
[senders.two]
type = "http"
url = "{two}/send"
id = {{ json = "/id" }}
json = {{ to = "{{{{ to }}}}", text = "{{{{ text }}}}" }}
[routes.all]
senders = ["{first}"]
originator = "Rollcall"
[prices.one]
sms = 0.07
[prices.two]
sms = {price}
[fuses]
account_per_day = {budget}
"""


def test_sighup_changes_routes_prices_and_budgets_while_codes_go_out(serve, provider, caller):
    other = Provider()
    try:
        places = {"one": provider.url, "two": other.url}
        server = serve(ROUTED.format(first="one", price=0.05, budget=50, **places))
        client = caller(server)

        def read_again(text, says):
            (server.folder / "rollcall.toml").write_text(text)
            seen = server.log_text().count(says)
            server.process.send_signal(signal.SIGHUP)
            eventually(says, lambda: server.log_text().count(says) > seen)

        def ordered(national):
            row = server.send_in(client.ask("44", national), "handed_over")
            return row["sender"], row["price"]

        assert ordered("7700900504") == ("one", 70_000)
        read_again(ROUTED.format(first="two", price=0.05, budget=50, **places), "settings read again")
        assert ordered("7700900505") == ("two", 50_000)
        # What cannot be read changes nothing.
        read_again(ROUTED.format(first="three", price=9, budget=50, **places), "settings not read again")
        assert ordered("7700900506") == ("two", 50_000)
        # A price and a budget: 0.17 are spent, and a code for 0.04 would be the last.
        read_again(ROUTED.format(first="two", price=0.04, budget=0.22, **places), "settings read again")
        assert ordered("7700900507") == ("two", 40_000)
        certificate = server.post("/certificates", {"number": "+447700900508", "name": "Lucky Shrub"})
        refused = client.http.post(server.url + "/v1/account", timeout=PATIENCE, json={
            "cc": "44", "phone_number": "7700900508", "method": "sms", "cert": certificate["certificate"]})
        assert refused.status_code == 403, refused.text
        assert (len(provider.asked), len(other.asked)) == (1, 3)
    finally:
        other.stop()


def test_reports_may_come_before_the_answer_twice_and_for_nobody(serve, provider, caller):
    server = serve(TWILIO.format(public=f'public_url = "{PUBLIC}"', preset="twilio", base=provider.url))
    client = caller(server)
    reported = []

    def answer(handler):
        url = form(provider.asked[-1][2])["StatusCallback"]
        for sid in ("SMnobody", "SMearly", "SMearly"):
            reported.append(report(server, url, {"MessageSid": sid, "MessageStatus": "delivered"}))
        handler.give(201, {"Content-Type": "application/json"}, b'{"sid":"SMearly"}')

    provider.answers = [answer]
    number = client.ask("44", "7700900509")
    row = server.send_in(number, "delivered")
    assert (row["provider_id"], row["attempts"], len(provider.asked)) == ("SMearly", 1, 1)
    assert reported == [204, 204, 204], "a provider that is told no comes again and again"
    late = report(server, form(provider.asked[-1][2])["StatusCallback"],
                  {"MessageSid": "SMearly", "MessageStatus": "undelivered"})
    assert late == 204 and server.sends(number)[0]["state"] == "delivered", "the first word counts"
    text = form(provider.asked[-1][2])["Body"]
    client.register_with(re.search(r"\d{3}-\d{3}", text).group())
