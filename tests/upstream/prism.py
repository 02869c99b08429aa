"""Meta's published description, served by Prism: it validates requests and answers with examples.

Some paths of the description have one shape and different ids (`/{Version}/{Phone-Number-ID}/verify_code`,
`/{Version}/{Pre-Verified-Phone-Number-ID}/verify_code`). Which of them is meant no server could tell, so those that
we never call are left out.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import requests

from rollcalls import ROOT

sys.path.insert(0, str(ROOT / "tests"))
from ports import free_port  # noqa: E402

PRISM = ROOT / "target" / "upstream-node" / "node_modules" / ".bin" / "prism"
DESCRIPTION = pathlib.Path(__file__).parent / "cloud-api-openapi.json"


NEVER_CALLED = ("{Pre-Verified-Phone-Number-ID}", "{WhatsApp-Account-Number-ID}")


def called():
    """The description without what has the shape of something else and is never called."""
    described = json.loads(DESCRIPTION.read_text())
    for path in [path for path in described["paths"] if any(it in path for it in NEVER_CALLED)]:
        del described["paths"][path]
    return described


class Prism:
    def __init__(self):
        port = free_port()
        self.url, self.lines, self.marks = f"http://127.0.0.1:{port}", [], 0
        self.folder = tempfile.TemporaryDirectory(prefix="rollcall-prism-")
        served = pathlib.Path(self.folder.name) / "description.json"
        served.write_text(json.dumps(called()))
        command = [
            str(PRISM), "mock", "--host", "127.0.0.1", "--port", str(port),
            str(served),
        ]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.ready = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()
        assert self.ready.wait(180), "\n".join(self.lines)

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if "Prism is listening" in line:
                self.ready.set()

    def violations(self):
        """What Prism complained of so far. It answers before it writes, so its own word for a marked request is awaited."""
        self.marks += 1
        marker = f"/mark-{self.marks}"
        requests.get(self.url + marker, timeout=120)
        deadline = time.monotonic() + 120
        while not any(marker in line for line in list(self.lines)):
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.02)
        return [line for line in list(self.lines) if "Violation: request" in line]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.folder.cleanup()
