"""A proxy that breaks what goes through it: one fault, for the requests that it is meant for."""

import http.client
import pathlib
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from ports import free_port  # noqa: E402


class Proxy:
    """Passes requests on to `target` (`http://host:port`) until a fault is armed.

    Faults: `503` (an answer of somebody in between), `500` (the API's own trouble), `slow` (no answer until the
    caller gives up, the request is not passed on), `cut` (the answer ends in the middle), `lost` (passed on and carried out,
    then no answer until the caller gives up), `close` (passed on and carried out, then the connection closes), `refused` (passed on and
    answered, then nobody listens for a while: the next call finds no connection).
    """

    DOWN_SECONDS = 0.6

    def __init__(self, target):
        self.target = target.split("://")[1]
        self.fault, self.match, self.times, self.seen, self.passed = None, "", 0, [], []
        self.lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                length = int(self.headers.get("content-length") or 0)
                proxy.handle(self, self.rfile.read(length))

            do_GET = do_POST = do_DELETE = handle_any

        self.handler, self.stopped = Handler, False
        # A port that no connection takes by chance while nobody listens.
        self.listen(free_port())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def listen(self, port):
        if self.stopped:
            return
        self.server = ThreadingHTTPServer(("127.0.0.1", port), self.handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def go_away(self):
        """Nobody listens, until somebody does again."""
        port = self.server.server_address[1]
        self.server.shutdown()
        self.server.server_close()
        threading.Timer(self.DOWN_SECONDS, self.listen, [port]).start()

    def arm(self, fault, match, times=1):
        with self.lock:
            self.fault, self.match, self.times = fault, match, times

    def named(self, handler):
        """What a request asks for: its path, and the action where one stands in a header."""
        return handler.path + " " + (handler.headers.get("x-acs-action") or "")

    def handle(self, handler, body):
        name = handler.command + " " + self.named(handler)
        with self.lock:
            self.seen.append(name)
            struck = self.times > 0 and self.match in name
            fault = self.fault if struck else None
            self.times -= struck
        if fault == "slow":
            given_up(handler)
            return
        if fault in ("503", "500"):
            text = b"<html>busy</html>" if fault == "503" else (
                b'{"error":{"message":"An unknown error occurred","code":1},'
                b'"Code":"InternalError","Message":"m","RequestId":"R"}')
            handler.send_response(int(fault))
            handler.send_header("content-length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text)
            return
        status, headers, answer = self.forward(handler, body)
        with self.lock:
            self.passed.append((name, status, answer))
        if fault == "refused":
            handler.close_connection = True
            self.go_away()
        if fault == "lost":
            given_up(handler)
            return
        if fault == "close":
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.send_response(status)
        for key, value in headers:
            if key.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                handler.send_header(key, value)
        handler.send_header("content-length", str(len(answer)))
        if fault == "refused":
            handler.send_header("connection", "close")
        handler.end_headers()
        if fault == "cut":
            handler.wfile.write(answer[: len(answer) // 2])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        handler.wfile.write(answer)

    def forward(self, handler, body):
        connection = http.client.HTTPConnection(self.target, timeout=30)
        headers = {k: v for k, v in handler.headers.items()}
        connection.request(handler.command, handler.path, body=body, headers=headers)
        reply = connection.getresponse()
        answer = reply.read()
        connection.close()
        return reply.status, reply.getheaders(), answer

    def carried_out(self, match):
        """How many requests with this name arrived and were granted."""
        with self.lock:
            return sum(
                match in name and status == 200 and (b'"Code":"OK"' in answer or b'"success":true' in answer)
                for name, status, answer in self.passed)

    def stop(self):
        self.stopped = True
        self.server.shutdown()
        self.server.server_close()


class Anonymous(Proxy):
    """Between two Rollcalls: what the upstream names beyond its dialect does not arrive."""

    def forward(self, handler, body):
        status, headers, answer = super().forward(handler, body)
        return status, [it for it in headers if not it[0].lower().startswith("x-rollcall-")], answer


def given_up(handler):
    """Waits until the caller hangs up, or is gone."""
    handler.close_connection = True
    handler.connection.settimeout(60)
    try:
        while handler.rfile.read(1):
            pass
    except OSError:
        pass


class NotTls:
    """Speaks anything but TLS to whoever begins a handshake."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.recv(100)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

    def stop(self):
        self.socket.close()
