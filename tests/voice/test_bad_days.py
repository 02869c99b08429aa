"""What becomes of a send in the ledger for the worse things that a telephone network does: no code is lost that
somebody could carry, and nobody is called twice."""

import json
import pathlib

import requests
from conftest import telephones
from test_server import Server

CONFIG = """
mode = "production"
{senders}
{routes}
[destinations]
voice = ["+44"]
"""
SENDER = """
[senders.{name}]
type = "voice"
trunk = "127.0.0.1:{port}"
caller = "441632960000"
"""
ROUTE = """
[routes.{name}]
method = "voice"
prefixes = ["{number}"]
senders = {senders}
"""
TAKEN = ("taken", "")
# The scenario of sipp, who may carry the code if it cannot, the ledger's final state, and each try.
DAYS = {
    "busy": (("refuse", {"status": 486, "more": "X-Nothing: 0"}), ["good"], "delivered",
             [("unavailable", "busy (486)"), TAKEN]),
    "declines": (("refuse", {"status": 603, "more": "X-Nothing: 0"}), ["good"], "delivered",
                 [("rejected", "declined (603)"), TAKEN]),
    "declines-alone": (("refuse", {"status": 603, "more": "X-Nothing: 0"}), [], "failed",
                       [("rejected", "declined (603)")]),
    # Tried again as long as the code lives, which sipp does not stay for: only the first try is of interest.
    "busy-alone": (("refuse", {"status": 486, "more": "X-Nothing: 0"}), [], "decided",
                   [("unavailable", "busy (486)")]),
    # sipp takes the sound and sends none of its own.
    "sends-no-sound": (("answers", {}), [], "delivered", [TAKEN]),
    "early-media": (("early_media", {}), [], "delivered", [TAKEN]),
    "hangs-up": (("hangs_up_early", {}), [], "failed", [TAKEN]),
}


def test_the_ledger_after_a_bad_day(place, scenario):
    good = place(telephones.Sipp, scenario("answers"), calls=2)
    senders, routes, trunks = SENDER.format(name="good", port=good.port), "", {}
    numbers = {name: f"+4416329605{at:02}" for at, name in enumerate(DAYS)}
    for name, ((known, words), others, _, _) in DAYS.items():
        trunks[name] = place(telephones.Sipp, scenario(known), **words)
        senders += SENDER.format(name=name, port=trunks[name].port)
        routes += ROUTE.format(name=name, number=numbers[name], senders=json.dumps([name, *others]))
    server = place(Server, CONFIG.format(senders=senders, routes=routes))
    login = requests.post(server.url + "/v1/users/login", auth=("admin", server.password),
                          json={"new_password": "Voice-calls-1!"}, timeout=telephones.PATIENCE)
    session = requests.Session()
    session.headers["Authorization"] = "Bearer " + login.json()["users"][0]["token"]
    for number in numbers.values():
        certificate = server.command("cert", "issue", "--number", number, "--name", "Lucky Shrub").strip()
        order = {"cc": "44", "phone_number": number[3:], "method": "voice", "cert": certificate}
        asked = session.post(server.url + "/v1/account", json=order, timeout=telephones.PATIENCE)
        assert asked.status_code == 202, asked.text

    def ledger():
        token = (pathlib.Path(server.data) / "operator.token").read_text().strip()
        page = requests.get(server.url + "/admin/v1/sends", params={"limit": 100}, timeout=telephones.PATIENCE,
                            headers={"Authorization": "Bearer " + token})
        return {send["number"]: send for send in page.json()["items"]}

    def ended():
        sends = ledger()
        return all(sends[numbers[name]]["state"] == state for name, (_, _, state, _) in DAYS.items())

    # A call takes half a minute, and these go on side by side.
    try:
        telephones.wait_until(ended, "the final states")
    except AssertionError:
        raise AssertionError(json.dumps(ledger(), indent=1) + server.told()) from None
    for name, (_, _, state, tries) in DAYS.items():
        send = ledger()[numbers[name]]
        told = [(it["result"], it.get("reason") or "") for it in send["tries"]]
        if state == "decided":
            assert told[:1] == tries and set(told[1:]) <= {("unavailable", "the trunk does not answer")}, send
        else:
            assert told == tries and send["attempts"] == 1, send
        assert send["in_doubt"] is False, send
        # One INVITE each, answered to the end; sipp fails if there is another.
        assert trunks[name].played_to_the_end(), f"{name}\n{trunks[name].messages()}"
    assert good.played_to_the_end(), good.messages()
    hung_up = ledger()[numbers["hangs-up"]]
    assert hung_up["reason"] == "hung up before the code was told in full", hung_up
