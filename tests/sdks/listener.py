"""An endpoint for callbacks: it takes what is posted and checks who signed it."""

import hashlib
import hmac
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from posts import Posts  # noqa: E402


class Listener(Posts):
    """Takes posts on any path, each path an endpoint of its own."""

    def reports(self, path, secret, count):
        """The reports that a path was sent, as they happened; each signed with the secret, none twice."""
        told = {}
        for headers, body in self.received(path, count):
            call = headers["X-Rollcall-Callback-Id"]
            signed = f"{call}.{headers['X-Rollcall-Timestamp']}.".encode() + body
            wanted = "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
            assert hmac.compare_digest(wanted, headers["X-Rollcall-Signature-256"])
            assert call not in told
            (told[call],) = json.loads(body)
        return [told[call] for call in sorted(told)]
