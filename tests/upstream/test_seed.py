"""A seed file names the registrar upstream of a WABA, in the words of the operator's API and by its rules."""

import requests

from callers import OnPremises
from rollcalls import KEY_ID, KEY_SECRET, SEED, SPACE, TOKEN, WABA, Rollcall

META = """
      [[account.space.waba.upstream]]
      registrar = "meta"
      base_url = "{url}"
      token = "{token}"
      app_secret = "0123456789abcdef"
"""
ALIBABA = """
      [[account.space.waba.upstream]]
      registrar = "alibaba"
      base_url = "{url}"
      remote_id = "{space}"
      access_key_id = "{key}"
      access_key_secret = "{secret}"
"""


def seeded(server, upstream):
    text = SEED.replace('    name = "Test"\n', '    name = "Test"\n' + upstream)
    assert upstream in text
    return requests.post(server.url + "/sandbox/v1/seed", data=text, timeout=120)


def test_numbers_of_a_seeded_waba_are_registered_upstream():
    gateway, upstream = Rollcall(), Rollcall()
    try:
        for national, section in [
            ("7700900160", META.format(url=upstream.url, token=TOKEN)),
            ("7700900161", ALIBABA.format(url=upstream.url, space=SPACE, key=KEY_ID, secret=KEY_SECRET)),
        ]:
            reply = seeded(gateway, section)
            assert reply.status_code == 200, reply.text
            shown = gateway.admin("GET", f"/wabas/{WABA}/upstream", status=200)
            assert shown.json()["base_url"] == upstream.url
            assert TOKEN not in shown.text and KEY_SECRET not in shown.text
            caller = OnPremises(gateway)
            assert caller.request_code(national)[0] == 202
            code = upstream.next_code("+44" + national)[1]
            assert caller.verify(national, code)[0] == 201
        assert len(upstream.events("registered")) == 2
    finally:
        gateway.stop()
        upstream.stop()


def test_mistakes_are_told_with_their_keys_and_without_their_values():
    gateway = Rollcall()
    try:
        wrong = META.replace("{token}", "with space").replace("{url}", "http://127.0.0.1:1/path")
        reply = seeded(gateway, wrong)
        assert reply.status_code >= 400 and "with space" not in reply.text
        assert "account[0].space[0].waba[0].upstream[0].token" in reply.text, reply.text
        elsewhere = seeded(gateway, META.format(url="https://graph.example.com", token=TOKEN))
        assert elsewhere.status_code == 409 and "a sandbox sends nothing" in elsewhere.text, elsewhere.text
        doubled = seeded(gateway, META.format(url="http://127.0.0.1:1", token=TOKEN) * 2)
        assert doubled.status_code >= 400 and "one authority" in doubled.text
    finally:
        gateway.stop()
