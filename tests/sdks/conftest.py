"""One server for all tests of the SDKs, taken back to its seed before each of them."""

import pathlib
import shutil
import tempfile

import pytest

from listener import Listener
from sdks import WAYS, Key, connect
from server import Server

SPACE = "cams-test01"
OTHER_SPACE = "cams-other01"
OWN = Key("LTAI5tFakeAccessKeyId001", "FakeAccessKeySecretForTests0001")
OTHER = Key("LTAI5tFakeAccessKeyId003", "FakeAccessKeySecretForTests0003")
ALICE = Key("LTAI5tFakeAccessKeyId002", "FakeAccessKeySecretForTests0002")
TEMPORARY = Key("STS.FakeAccessKeyId004", "FakeAccessKeySecretForTests0004", "FakeStsToken/abc+def==")
UNSUBSCRIBED = Key("LTAI5tFakeAccessKeyId005", "FakeAccessKeySecretForTests0005")

SEED = f"""
[[account]]
name = "default"
  [[account.access_key]]
  id = "{OWN.id}"
  secret = "{OWN.secret}"
  [[account.temporary_key]]
  id = "{TEMPORARY.id}"
  secret = "{TEMPORARY.secret}"
  security_token = "{TEMPORARY.token}"
  expires_at = "2090-01-01T00:00:00Z"
  [[account.user]]
  name = "alice"
    [[account.user.access_key]]
    id = "{ALICE.id}"
    secret = "{ALICE.secret}"
  [[account.space]]
  cust_space_id = "{SPACE}"
    [[account.space.waba]]
    id = "102290129340398"
    name = "Lucky Shrub Ltd"
[[account]]
name = "other"
  [[account.access_key]]
  id = "{OTHER.id}"
  secret = "{OTHER.secret}"
  [[account.space]]
  cust_space_id = "{OTHER_SPACE}"
    [[account.space.waba]]
    id = "200000000000001"
    name = "Jasper's Market"
[[account]]
name = "unsubscribed"
subscribed = false
  [[account.access_key]]
  id = "{UNSUBSCRIBED.id}"
  secret = "{UNSUBSCRIBED.secret}"
"""


@pytest.fixture(scope="session")
def running():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-sdks-"))
    server = Server(folder, SEED)
    yield server
    code = server.stop()
    shutil.rmtree(folder)
    assert code == 0


@pytest.fixture
def server(running):
    running.reset()
    return running


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture(params=["http", "https"])
def scheme(request):
    return request.param


@pytest.fixture
def caller(server):
    """Connects SDKs, and ends at the end whatever process they need."""
    connected = []

    def start(way, scheme="http", key=OWN):
        sdk = connect(way, server, scheme, key)
        connected.append(sdk)
        return sdk

    yield start
    for sdk in connected:
        if hasattr(sdk, "close"):
            sdk.close()


@pytest.fixture
def sdk(caller, way, scheme):
    """An SDK with the account's own key, over each protocol."""
    return caller(way, scheme)


@pytest.fixture
def listener():
    """An endpoint that is told what happens."""
    listening = Listener()
    yield listening
    listening.close()
