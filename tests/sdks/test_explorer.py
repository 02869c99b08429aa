"""Every code sample that the console's explorer shows runs as pasted, and gets what the explorer got."""

import json
import os
import subprocess
import sys

import pytest
import requests

from conftest import OWN
from explorer import Explorer
from server import BINARY

NUMBER = "447700900123"
WABA = "102290129340398"
PASSWORD = "Sandbox-1!"
TOOLS = {
    "curl": ["bash", "-euo", "pipefail"],
    "python": [sys.executable, "-"],
    "node": ["node", "-"],
    "rollcall": ["bash", "-uo", "pipefail"],
}
# What a form does not begin with.
GIVEN = {"p.password": "Backup-1!", "p.cert": None, "p.data": "AAAA", "p.input_token": None}


@pytest.fixture
def world(server):
    """A number with a code on its way, and all that a page asks for in the environment."""
    server.operator("POST", f"numbers/{NUMBER}/request-code", {"waba": WABA, "method": "sms", "name": "Lucky Shrub"})
    graph = server.operator("POST", "graph-tokens", {"account": "default", "name": "samples"})["token"]
    url = server.urls["http"] + "/v1/users/login"
    new = {"new_password": PASSWORD}
    login = requests.post(url, json=new, auth=("admin", "secret"), timeout=120).json()
    certificate = server.operator("POST", "certificates", {"number": NUMBER, "name": "Lucky Shrub", "waba": WABA})
    GIVEN["p.cert"], GIVEN["p.input_token"] = certificate["certificate"], graph
    server.save("samples")
    return os.environ | {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": OWN.id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": OWN.secret,
        "ROLLCALL_GRAPH_TOKEN": graph,
        "ROLLCALL_ONPREM_TOKEN": login["users"][0]["token"],
        "ROLLCALL_ONPREM_USER": "admin",
        "ROLLCALL_ONPREM_PASSWORD": PASSWORD,
        "NODE_PATH": os.environ["ROLLCALL_SDKS_NODE"],
        "PATH": f"{BINARY.parent}:{os.environ['PATH']}",
    }


@pytest.fixture
def explorer(server, world):
    return Explorer(server.urls["http"], server.token)


def paste(tool, sample, environment):
    """Runs a sample; all that it prints."""
    ran = subprocess.run(
        TOOLS[tool], input=sample, capture_output=True, text=True, timeout=300, check=False, env=environment
    )
    return ran.stdout + ran.stderr


def marks(answer):
    """What a program must have printed that got this answer: its code, or else what is in it."""
    _, _, text = answer.partition("\n\n")
    try:
        seen = json.loads(text)
    except ValueError:
        # Text of a kind of its own, or none: its first line.
        return text.splitlines()[:1] if text and not text.startswith("<") else []
    if "Code" in seen:
        return [seen["Code"]]
    if "errors" in seen:
        return [seen["errors"][0]["title"], str(seen["errors"][0]["code"])]
    if "error" in seen:
        return ['"code":' + str(seen["error"]["code"])]
    return list(seen)


def wrong(server, explorer, environment, dialect, operation, more):
    """The samples of an operation that got something else than the explorer did, each finding all as it was."""
    server.back_to("samples")
    values = explorer.form(dialect, operation)
    values |= {name: GIVEN[name] for name in values if GIVEN.get(name)} | more
    samples, shown = explorer.send(dialect, operation, values)
    assert list(samples) == list(TOOLS), operation
    assert values.get("own.secret", OWN.secret) not in "".join(samples.values())
    expected = marks(shown["wire-answer"])
    found = []
    for tool, sample in samples.items():
        server.back_to("samples")
        printed = paste(tool, sample, environment)
        missing = [mark for mark in expected if mark not in printed]
        if missing:
            found.append((operation, tool, missing, printed[-600:], sample))
    return found


def run_all(server, explorer, environment, dialect, more=None, only=None):
    found, count = [], 0
    for operation in only or explorer.operations(dialect):
        found += wrong(server, explorer, environment, dialect, operation, more or {})
        count += 1
    assert not found, "\n\n".join(f"{it[0]} {it[1]} {it[2]}:\n{it[3]}\n{it[4]}" for it in found)
    return count


def test_every_sample_of_cams_runs_as_pasted(server, explorer, world):
    assert run_all(server, explorer, world, "cams", {"party": "account:default"}) == 28


def test_samples_of_the_other_signature_run_as_pasted(server, explorer, world):
    more = {"party": "account:default", "signature": "v1"}
    some = ["AddChatappPhoneNumber", "ModifyPhoneBusinessProfile", "GetPreValidatePhoneId", "GetChatappOpenStatus"]
    run_all(server, explorer, world, "cams", more, some)


def test_every_sample_of_onprem_runs_as_pasted(server, explorer, world):
    more = {"party": "client:default", "own.user": "admin", "own.password": PASSWORD}
    assert run_all(server, explorer, world, "onprem", more) == 42


def test_every_sample_of_graph_runs_as_pasted(server, explorer, world):
    assert run_all(server, explorer, world, "graph", {"party": "account:default"}) == 14


def test_what_is_typed_keeps_its_characters(server, explorer, world):
    name = """Müller's "Söhne" $HOME `id` \\ & + % 株式会社"""
    for signature in ("v3", "v1"):
        more = {"party": "account:default", "signature": signature, "p.About": name, "p.Description": "a\nb"}
        run_all(server, explorer, world, "cams", more, ["ModifyPhoneBusinessProfile"])
        values = explorer.form("cams", "QueryPhoneBusinessProfile") | {"party": "account:default"}
        _, shown = explorer.send("cams", "QueryPhoneBusinessProfile", values)
        kept = json.loads(shown["wire-answer"].partition("\n\n")[2])["Data"]
        assert (kept["About"], kept["Description"]) == (name, "a\nb")


def test_the_explorer_is_refused_like_anybody(server, explorer, world):
    values = explorer.form("cams", "ChatappSyncPhoneNumber")
    own = {"own.key": OWN.id, "own.secret": "another secret"}
    _, shown = explorer.send("cams", "ChatappSyncPhoneNumber", values | own)
    assert "SignatureDoesNotMatch" in shown["wire-answer"]
    _, shown = explorer.send("cams", "ChatappSyncPhoneNumber", values | own | {"own.secret": OWN.secret})
    assert '"Code":"OK"' in shown["wire-answer"]
    assert shown["step1"].startswith("POST\n/\n")
    assert shown["step2"].startswith("ACS3-HMAC-SHA256\n")
    assert f"Signature={shown['step3']}" in shown["wire-request"]
