"""An endpoint as the documents describe one: it answers the challenge and takes what is posted."""

import json
import pathlib
import sys
import urllib.parse

from pywa.utils import webhook_updates_validator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from posts import Posts  # noqa: E402


class Endpoint(Posts):
    """Each path is an endpoint of its own; all of them know the same verify token."""

    def __init__(self, verify_token):
        self.verify_token = verify_token
        self.asked = []
        super().__init__()

    def asked_for(self, path):
        path, _, query = path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        self.asked.append(path)
        if query.get("hub.verify_token") == self.verify_token:
            return 200, query["hub.challenge"]
        return 403, "no"

    def changes(self, path, count, secret):
        """What a path was told: field and value of each change, the signatures checked by pywa."""
        told = []
        for headers, body in self.received(path, count):
            assert webhook_updates_validator(
                app_secret=secret, request_body=body, x_hub_signature=headers["X-Hub-Signature-256"]
            )
            (entry,) = json.loads(body)["entry"]
            told += [(change["field"], change["value"]) for change in entry["changes"]]
        return told
