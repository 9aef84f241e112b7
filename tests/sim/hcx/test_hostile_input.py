"""Junk in every place of every call: the answer is always the vendor's, and never a bug of ours."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest

from hcx_sim.hcx.product import PRODUCT
from support.hcx_wire import API, Manager, scenario
from support.site_pair import SiteServer

JUNK: list[Any] = [
    None, 1, -1, 1e400, 10**30, "", "x", "\ud800", "é", True, "true", [], {}, [[]], [{}], ["x", None],
    "/infra/segments/net-b", "../..",
]  # fmt: skip
NAMES = [
    "filter",
    "cloud",
    "items",
    "paging",
    "sourceNetwork",
    "networkId",
    "features",
    "remote",
    "services",
    "name",
    "gateway",
    "netmask",
    "destination",
    "endpointId",
    "entityType",
    "pageSize",
    "skipCount",
    "username",
    "password",
    "computeIds",
    "destinationNetwork",
    "gatewayId",
    "url",
    "certificate",
    "stretchId",
    "switchPairCount",
    "l2cApplianceCount",
    "wanoptConfig",
    "authType",
    "sourceAppliance",
]
TEXTS = ["{a=", "[", "{x:'", "nul", "\x00", "{}" * 9]
QUERIES = ["", "?connectToLocalRouter=%ff", "?vcGuid=", "?pageSize=x&offset=-5", "?entityType=dvs&entityType=x"]
MINE = [fact for fact in PRODUCT.coverage.routes if not re.search("mobility|migration|sessions.delete", fact.call)]


def junk(stream: random.Random, depth: int = 0) -> Any:
    if depth < 3 and stream.random() < 0.4:
        return {stream.choice(NAMES): junk(stream, depth + 1) for _ in range(3)}
    return stream.choice(JUNK)


@pytest.mark.parametrize("version", ["4.11.3", "9.1.1"])
def test_junk_is_answered_in_the_vendors_shape(site_server: SiteServer, version: str) -> None:
    pair = site_server.make_world(scenario=scenario({"version": version}))
    manager = Manager(pair)
    stream = random.Random(version)  # noqa: S311 - made-up input, not a secret
    ids = [str(manager.extensions()[0]["stretchId"]), "x", next(iter(pair.world.meshes)), "a%20b"]
    for fact in MINE * 8:
        path = re.sub(r"\{[^}]*\}", lambda _match: stream.choice(ids), fact.path.removeprefix(API))
        body = json.dumps(junk(stream)) if stream.random() < 0.8 else stream.choice(TEXTS)
        answer = manager.call(fact.method, path + stream.choice(QUERIES), None if fact.method == "GET" else body)
        assert answer.status_code < 500, (fact.call, answer.text, body)
        if answer.status_code >= 400 and answer.content:
            told = answer.json()
            assert told.get("errors") or any(item["errors"] for item in told["items"]), (fact.call, answer.text)
        if stream.random() < 0.05:
            pair.advance(stream.random() * 100)
    pair.run_until_idle()
    pair.assert_no_bugs()
    assert {vm.name for vm in pair.world.vms.values()} >= {"vm1", "vm2"}
    site_server.drop(pair)
