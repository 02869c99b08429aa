"""The programs in docs/dialects/cams.md run as they stand, but for the port."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "docs" / "dialects" / "cams.md"
PROGRAMS = re.findall(r"```(python|js)\n(.*?)```", DOCUMENT.read_text(), flags=re.DOTALL)
RUN = {"python": [sys.executable, "-"], "js": ["node", "-"]}


def test_there_is_a_program_for_each_sdk():
    assert [language for language, _ in PROGRAMS] == ["python", "python", "js", "js"]


@pytest.mark.parametrize(("language", "program"), PROGRAMS)
def test_a_documented_program_runs(server, language, program):
    port = server.endpoint("http").rpartition(":")[2]
    assert "8080" in program
    ran = subprocess.run(
        RUN[language],
        input=program.replace("8080", port),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=os.environ | {"NODE_PATH": os.environ["ROLLCALL_SDKS_NODE"]},
    )
    assert ran.returncode == 0, ran.stderr
    assert "OK" in ran.stdout, ran.stdout
