"""What several files of tests stand on."""

import pytest

from faults import Anonymous
from rollcalls import Rollcall


@pytest.fixture(scope="module")
def world():
    """A gateway, the registrar upstream of it, and between them what takes the names of refusals away."""
    gateway, upstream = Rollcall(), Rollcall()
    proxy = Anonymous(upstream.url)
    yield gateway, upstream, proxy
    proxy.stop()
    gateway.stop()
    upstream.stop()
