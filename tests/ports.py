"""Ports for programs that must be told theirs, and addresses where nobody listens."""

import os
import socket

# Below the ports that Linux gives to connections and to whoever asks for any (32768 and up): between the look
# and the program's start, nobody else takes one of these by chance.
FIRST, LAST = 12000, 32000
# Two that are free one after the other, for the programs that want that.
STEP = 4
_place = os.getpid() * 97


def free_port():
    """An even port that nobody uses, by TCP nor UDP, nor the three after it; none is given twice."""
    global _place
    for _ in range((LAST - FIRST) // STEP):
        _place += 1
        port = FIRST + _place * STEP % (LAST - FIRST)
        if all(_is_free(port + more) for more in range(STEP)):
            return port
    raise AssertionError("no free port")


def _is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as one:
            if kind == socket.SOCK_STREAM:
                # What the last connections of an ended program leave behind does not count.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def is_bound(port, kind=socket.SOCK_STREAM):
    """Whether a program has this port already: it listens (TCP), or takes packets (UDP)."""
    table, listens = ("tcp", "0A") if kind == socket.SOCK_STREAM else ("udp", "07")
    with open(f"/proc/net/{table}", encoding="ascii") as rows:
        for row in list(rows)[1:]:
            words = row.split()
            if int(words[1].rpartition(":")[2], 16) == port and words[3] == listens:
                return True
    return False


class Nobody:
    """An address that is taken and at which nobody listens: connections are refused, and nobody moves in."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.socket.close()
