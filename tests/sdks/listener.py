"""An endpoint for callbacks: it takes what is posted and checks who signed it."""

import hashlib
import hmac
import http.server
import json
import threading
import time


class Listener:
    """Takes posts on any path, each path an endpoint of its own."""

    def __init__(self):
        self.posts = {}
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                listener.posts.setdefault(self.path, []).append((self.headers, body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def reports(self, path, secret, count):
        """The reports that a path was sent, as they happened; each signed with the secret, none twice."""
        until = time.monotonic() + 20
        while len(self.posts.get(path, [])) < count and time.monotonic() < until:
            time.sleep(0.02)
        told = {}
        for headers, body in self.posts.get(path, []):
            call = headers["X-Rollcall-Callback-Id"]
            signed = f"{call}.{headers['X-Rollcall-Timestamp']}.".encode() + body
            wanted = "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
            assert hmac.compare_digest(wanted, headers["X-Rollcall-Signature-256"])
            assert call not in told
            (told[call],) = json.loads(body)
        return [told[call] for call in sorted(told)]

    def close(self):
        """Frees the port."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
