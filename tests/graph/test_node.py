"""Two npm clients, unmodified: one registers, the other reads, renames and listens."""

import json
import pathlib
import subprocess

from conftest import NODE_MODULES, TOKEN, WABA

SCRIPT = pathlib.Path(__file__).with_name("register.mjs")


def test_one_registers_and_the_other_reads_renames_and_listens(sandbox):
    phone = sandbox.add("7700900125")
    operator = (sandbox.data / "operator.token").read_text(encoding="utf-8").strip()
    command = ["node", SCRIPT, NODE_MODULES, sandbox.url, TOKEN, WABA, phone, "+447700900125"]
    command.append(operator)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["listed"]["verified_name"] == "Lucky Shrub"
    assert result["listed"]["code_verification_status"] == "VERIFIED"
    assert result["refused"] == 133005
    assert result["subscribed"] == [{"success": True}, result["callback"]]
    assert (result["before"], result["after"]) == ("Lucky Shrub", "Jasper's Market")
    # Each is a post of its own, and posts may overtake each other.
    assert sorted(result["told"]) == [
        ["account_update", "ACCOUNT_OFFBOARDED", True],
        ["phone_number_name_update", "APPROVED", True],
    ]
    assert sandbox.node(phone, "platform_type")["platform_type"] == "NOT_APPLICABLE"
