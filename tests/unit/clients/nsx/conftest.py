"""A client of NSX Policy, and a manager with one fixed and one flexible segment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hcx_waves.clients.nsx import BasicAuth, NsxPolicyClient
from support.nsx_answers import FIXED, FLEX, on
from support.scripted_server import FakeTime, ScriptedServer


@pytest.fixture
def client(server: ScriptedServer, time: FakeTime) -> Iterator[NsxPolicyClient]:
    """A client of both segment lists."""
    on(server, "/infra/tier-1s/cgw/segments", {"results": [FIXED], "result_count": 1})
    on(server, "/infra/segments", {"results": [FLEX], "result_count": 1})
    auth = BasicAuth("admin", "nsx-geheim")
    with NsxPolicyClient(server.url, auth, enforcement_point="vmc-enforcementpoint", ambient=time.ambient()) as client:
        yield client
