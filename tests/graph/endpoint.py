"""An endpoint as the documents describe one: it answers the challenge and takes what is posted."""

import http.server
import json
import threading
import time
import urllib.parse

from pywa.utils import webhook_updates_validator


class Endpoint:
    """Each path is an endpoint of its own; all of them know the same verify token."""

    def __init__(self, verify_token):
        self.posts = {}
        self.asked = []
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, query = self.path.partition("?")
                query = dict(urllib.parse.parse_qsl(query))
                endpoint.asked.append(path)
                is_known = query.get("hub.verify_token") == verify_token
                self.answer(200 if is_known else 403, query["hub.challenge"] if is_known else "no")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                signature = self.headers["X-Hub-Signature-256"]
                endpoint.posts.setdefault(self.path, []).append((signature, body))
                self.answer(200, "")

            def answer(self, status, text):
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def changes(self, path, count, secret):
        """What a path was told: field and value of each change, the signatures checked by pywa."""
        until = time.monotonic() + 20
        while len(self.posts.get(path, [])) < count and time.monotonic() < until:
            time.sleep(0.02)
        told = []
        for signature, body in self.posts.get(path, []):
            assert webhook_updates_validator(
                app_secret=secret, request_body=body, x_hub_signature=signature
            )
            (entry,) = json.loads(body)["entry"]
            told += [(change["field"], change["value"]) for change in entry["changes"]]
        return told

    def close(self):
        """Frees the port."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
