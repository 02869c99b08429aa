"""What a telephone hears, against baresip, which records it; once behind Kamailio, which wants a registration."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import ear
from conftest import call, telephones
from kamailio import Kamailio
from ports import free_port

DELIVERED = [{"handed_over": True}, {"receipt": "delivered"}]
CODE = "493027"


def certificate(folder):
    """A certificate of this machine that signed itself, and a file with its key, too."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / "key.pem", "-out", folder / "ca.pem"],
        check=True, capture_output=True,
    )
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "ca.pem").read_text())
    return folder / "ca.pem", both


def test_a_telephone_hears_the_code_three_times(place, folder):
    ours, theirs, behind = (place(telephones.Baresip, codecs=codecs) for codecs in ("PCMU", "PCMA", "PCMU"))
    ca, both = certificate(folder)
    secret = place(telephones.Baresip, server_pem=both)
    tls = {"transport": "tls", "ca": ca}
    trunk = place(Kamailio, behind.port)
    account = {"username": "rollcall", "password": "secret", "register": "yes"}
    with ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(call, ours.port, code=CODE),
            pool.submit(call, theirs.port, code="806135", locale="de"),
            pool.submit(call, trunk.port, code="012789", locale="pt_BR", **account),
            pool.submit(call, secret.port + 1, code="554411", locale="fr", **tls),
        ]
    assert [it.result() for it in calls] == [DELIVERED] * 4
    for telephone, code, language in [
        (ours, CODE, "en"), (theirs, "806135", "de"), (behind, "012789", "pt"), (secret, "554411", "fr"),
    ]:
        assert ear.digits(telephone.heard(), language) == code * 3


def test_a_wrong_password_is_not_registered_and_makes_no_call(place):
    trunk = place(Kamailio, free_port())
    told = call(trunk.port, username="rollcall", password="wrong", register="yes")
    assert told == [{"unavailable": "not registered with the trunk", "retry_after": -1, "uncertain": False}]


def test_a_trunk_that_nobody_vouches_for_is_not_spoken_with(place, folder):
    _, both = certificate(folder)
    telephone = place(telephones.Baresip, server_pem=both)
    (told,) = call(telephone.port + 1, transport="tls")
    assert "unavailable" in told and "established" not in telephone.told()
