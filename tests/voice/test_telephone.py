"""What a telephone hears, against baresip, which records it; once behind Kamailio, which wants a registration."""

from concurrent.futures import ThreadPoolExecutor

import ear
from conftest import call, telephones
from kamailio import Kamailio

DELIVERED = [{"handed_over": True}, {"receipt": "delivered"}]
CODE = "493027"


def test_a_telephone_hears_the_code_three_times(place):
    ours, theirs, behind = (place(telephones.Baresip, codecs=codecs) for codecs in ("PCMU", "PCMA", "PCMU"))
    trunk = place(Kamailio, behind.port)
    account = {"username": "rollcall", "password": "secret", "register": "yes"}
    with ThreadPoolExecutor(3) as pool:
        calls = [
            pool.submit(call, ours.port, code=CODE),
            pool.submit(call, theirs.port, code="806135", locale="de"),
            pool.submit(call, trunk.port, code="012789", locale="pt_BR", **account),
        ]
    assert [it.result() for it in calls] == [DELIVERED] * 3
    for telephone, code, language in [(ours, CODE, "en"), (theirs, "806135", "de"), (behind, "012789", "pt")]:
        assert ear.digits(ear.read_wav(telephone.heard()), language) == code * 3


def test_a_wrong_password_is_not_registered_and_makes_no_call(place):
    trunk = place(Kamailio, telephones.free_port())
    told = call(trunk.port, username="rollcall", password="wrong", register="yes")
    assert told == [{"unavailable": "not registered with the trunk", "retry_after": -1, "uncertain": False}]
