"""What makes the calls: the example of the sender alone, and the whole server."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

import telephones

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("ROLLCALL_TARGET", ROOT / "target" / "debug"))


@pytest.fixture
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-voice-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def place(folder):
    """Starts telephones and trunks, and stops them."""
    started = []

    def start(kind, *args, **kwargs):
        started.append(kind(folder / str(len(started)), *args, **kwargs))
        return started[-1]

    yield start
    for it in started:
        it.stop()


@pytest.fixture
def scenario():
    return lambda name: pathlib.Path(__file__).parent / "scenarios" / f"{name}.xml"


def call(port, timeout=telephones.PATIENCE, **given):
    """Calls through the trunk at a port with the sender alone; what it told, line by line."""
    words = [str(TARGET / "examples" / "call"), "--port", str(port)]
    for name, value in given.items():
        words += ["--" + name.replace("_", "-"), str(value)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


__all__ = ["TARGET", "call", "telephones"]
