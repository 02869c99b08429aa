"""A server that takes posts: what endpoints of callbacks have in common."""

import http.server
import threading
import time


class Posts:
    """Takes posts on any path, each path an endpoint of its own: `posts[path]` lists headers and bodies."""

    def __init__(self):
        self.posts = {}
        taken = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(*taken.asked_for(self.path))

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                taken.posts.setdefault(self.path, []).append((self.headers, body))
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

    def asked_for(self, _path):
        """Status and text that a GET is answered with."""
        return 405, ""

    def received(self, path, count):
        """What a path was sent, once there is that much of it or two minutes have passed."""
        until = time.monotonic() + 120
        while len(self.posts.get(path, [])) < count and time.monotonic() < until:
            time.sleep(0.02)
        return self.posts.get(path, [])

    def close(self):
        """Frees the port."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
