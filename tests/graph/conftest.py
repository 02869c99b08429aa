"""A real sandbox for each test module, with tokens of chosen text; stopped by its pid."""

import importlib.util
import pathlib
import time

import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE_MODULES = ROOT / "target" / "graph-node" / "node_modules"
WABA = "102290129340398"
TOKEN = "EAAtest"

SEED = f"""
[[account]]
name = "default"
  [[account.space]]
  cust_space_id = "one"
    [[account.space.waba]]
    id = "{WABA}"
    name = "Test"
  [[account.graph_token]]
  token = "{TOKEN}"
"""

_spec = importlib.util.spec_from_file_location("clients_conftest", ROOT / "tests/clients/conftest.py")
_clients = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_clients)
serve = _clients.serve


class Sandbox:
    """The server, and what a person would do: read the code, let time pass."""

    def __init__(self, server):
        self.url = server.url
        self.data = server.data

    def code(self, number):
        """The code of the newest message to a number."""
        for _ in range(600):
            query = {"number": number, "limit": 1}
            answer = requests.get(self.url + "/sandbox/v1/inbox", params=query, timeout=120)
            messages = answer.json()["messages"]
            if messages:
                return messages[0]["code"]
            time.sleep(0.1)
        raise AssertionError(f"no code came to {number}")

    def graph(self, method, path, **kwargs):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return requests.request(method, f"{self.url}/v25.0/{path}", headers=headers, timeout=120, **kwargs)

    def add(self, national):
        """A number of Ofcom's for drama, added to the WABA: its id."""
        body = {"cc": "44", "phone_number": national, "verified_name": "Lucky Shrub"}
        answer = self.graph("POST", f"{WABA}/phone_numbers", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def registered(self, national):
        """The same, confirmed and registered."""
        phone = self.add(national)
        for edge, body in (
            ("request_code", {"code_method": "SMS", "language": "en_US"}),
            ("verify_code", None),
            ("register", {"messaging_product": "whatsapp", "pin": "246810"}),
        ):
            body = body or {"code": self.code("+44" + national)}
            answer = self.graph("POST", f"{phone}/{edge}", json=body)
            assert answer.status_code == 200, answer.text
        return phone

    def app_secret(self):
        """What signs webhooks, as the operator is shown it."""
        token = (self.data / "operator.token").read_text(encoding="utf-8").strip()
        url = self.url + "/admin/v1/webhooks/graph/account/default/secret"
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=120)
        assert answer.status_code == 200, answer.text
        return answer.json()["secret"]

    def node(self, phone, fields):
        return self.graph("GET", phone, params={"fields": fields}).json()


@pytest.fixture(scope="module")
def sandbox(serve):
    return Sandbox(serve(seed=SEED))
