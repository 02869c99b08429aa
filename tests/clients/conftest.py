"""A real server for each test module: its own data folder, any free port, stopped by its pid."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("ROLLCALL_BIN", ROOT / "target" / "debug" / "rollcall"))


class Server:
    """A `rollcall serve` process."""

    def __init__(self, folder, seed=None, extra=()):
        self.data = folder / "data"
        command = [str(BINARY), "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        if seed:
            path = folder / "seed.toml"
            path.write_text(seed)
            command += ["--seed", str(path)]
        self.log = open(folder / "server.log", "w", encoding="utf-8")
        self.process = subprocess.Popen(
            command + list(extra), stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.url = self._wait_until_ready(folder)

    def _wait_until_ready(self, folder):
        timer = threading.Timer(120, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                match = re.match(r"listening on (http://\S+)", line)
                if match:
                    return match.group(1)
        finally:
            timer.cancel()
        raise RuntimeError("the server did not start: " + (folder / "server.log").read_text())

    def stop(self):
        """Asks it to stop, and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=120)
        self.process.stdout.close()
        self.log.close()
        return code


@pytest.fixture(scope="module")
def serve():
    """Starts servers, and checks at the end that each one left in good order."""
    folders, servers = [], []

    def start(seed=None, extra=()):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-client-"))
        folders.append(folder)
        server = Server(folder, seed, extra)
        servers.append(server)
        return server

    yield start
    codes = [server.stop() for server in servers]
    for folder in folders:
        shutil.rmtree(folder)
    assert codes == [0] * len(codes)
