"""Two npm clients, unmodified: one registers, the other reads."""

import json
import pathlib
import subprocess

from conftest import NODE_MODULES, TOKEN, WABA

SCRIPT = pathlib.Path(__file__).with_name("register.mjs")


def test_one_registers_and_the_other_reads(sandbox):
    phone = sandbox.add("7700900125")
    command = ["node", SCRIPT, NODE_MODULES, sandbox.url, TOKEN, WABA, phone, "+447700900125"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["listed"]["verified_name"] == "Lucky Shrub"
    assert result["listed"]["code_verification_status"] == "VERIFIED"
    assert result["refused"] == 133005
    assert sandbox.node(phone, "platform_type")["platform_type"] == "NOT_APPLICABLE"
