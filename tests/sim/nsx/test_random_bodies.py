"""Whatever is sent, a manager answers in its own style and never fails by itself."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest

from hcx_sim.nsx.product import PRODUCT
from support.nsx_wire import FIXED, Manager, refused, world_of
from support.site_pair import SitePair
from support.waiting import HANG_SECONDS

pytestmark = world_of(requests_per_second=None)

VALUES: list[Any] = [
    None, 1, -1, True, "", "x", "ANY", "ON", "OFF", "10.1.1.1/24", "10.1.9.0/24", [], {}, [1], ["x"], [{}], [None],
    {"id": "x"}, [{"id": "x"}], {"id": 1, "children": 5}, "\u0000", 1e99,
]  # fmt: skip
KEYS = [
    "id", "display_name", "resource_type", "subnets", "advanced_config", "connectivity", "gateway_address",
    "dhcp_ranges", "children", "Segment", "Tier1", "marked_for_delete", "connectivity_path", "l2_extension", "tags",
    "_revision", "attachment", "type", "rules", "action", "source_groups", "destination_groups", "sequence_number",
    "expression", "ip_addresses", "disabled", "dhcp_config", "target_type", "vlan_ids",
]  # fmt: skip
TYPES = ["Segment", "Infra", "ChildSegment", "ChildTier1", "ChildResourceReference", "Tier1", "IPAddressExpression"]
PARTS = {
    "tier1": ["cgw", "x"], "segment": ["app-net", "flex-net", "new", "state"], "port": ["p1", "x"],
    "domain": ["cgw", "mgw"], "policy": ["default", "p"], "rule": ["r", "default_rule"], "group": ["g"],
    "point": ["vmc-enforcementpoint"], "gateway": ["cgw"], "service": ["default"], "each": ["x"], "zone": ["x"],
    "tier0": ["vmc", "x"], "nat": ["USER", "x"], "site": ["default"], "cluster": ["x"], "node": ["x"],
}  # fmt: skip
QUERIES: list[dict[str, str]] = [
    {}, {"force": "true"}, {"cascade": "true", "force": "true"}, {"page_size": "x"}, {"cursor": "eyJ"},
    {"cursor": "W10"}, {"query": "((a"}, {"query": "a:b OR"}, {"query": "\\"}, {"query": '"'}, {"query": "*:*"},
    {"action": "revise"}, {"query": "a:[b TO c}"}, {"query": "a:>-3 && !b"},
    {"intent_path": "/"}, {"sort_by": "x"}, {"enforce_revision_check": "true"}, {"included_fields": ",,"},
]  # fmt: skip


def _body(stream: random.Random, depth: int = 0) -> Any:
    draw = stream.random()
    if depth > 3 or draw < 0.35:
        return stream.choice(VALUES)
    if draw > 0.8:
        return [_body(stream, depth + 1) for _ in range(stream.randint(0, 3))]
    body = {key: _body(stream, depth + 1) for key in stream.sample(KEYS, stream.randint(0, 5))}
    if stream.random() < 0.6:
        body["resource_type"] = stream.choice(TYPES)
    if stream.random() < 0.3:
        body["id"] = stream.choice(["app-net", "cgw", "new"])
    return body


@pytest.mark.parametrize("seed", [1, 2])
def test_random_calls_are_answered_in_vendor_style(site_pair: SitePair, seed: int) -> None:
    stream = random.Random(seed)  # noqa: S311 - not a secret
    managers = [Manager(site_pair, site) for site in ("source", "destination")]
    routes = [(method, each.path) for each in PRODUCT.app.router.routes for method in sorted(each.methods)]  # type: ignore[attr-defined]
    routes = [each for each in routes if "session" not in each[1]]
    for number in range(600):
        method, template = stream.choice(routes)
        path = re.sub(r"\{(\w+)\}", lambda match: stream.choice(PARTS[match[1]]), template)
        data = None if method == "GET" else json.dumps(_body(stream))
        nsx = stream.choice(managers)
        answer = nsx.http.request(
            method, nsx.base + path, params=stream.choice(QUERIES), data=data, timeout=HANG_SECONDS
        )
        assert answer.status_code < 500, (method, path, data, answer.text)
        if answer.status_code >= 400:
            refused(answer, answer.status_code)
        if number % 50 == 0:
            site_pair.advance(3)
    assert sum(port.port_class == "appliance" for port in site_pair.world.ports.values()) <= 2


POLICIES = "/infra/domains/cgw/gateway-policies"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/infra", {"resource_type": "Infra", "children": [{"resource_type": "ChildTier1", "Tier1": "x"}]}),
        (
            "/infra",
            {
                "resource_type": "Infra",
                "children": [{"resource_type": "ChildTier1", "Tier1": {"id": "cgw", "children": 5}}],
            },
        ),
        (
            "/infra",
            {"resource_type": "Infra", "children": [{"resource_type": "ChildSegment", "Segment": {"id": "a/b"}}]},
        ),
        (f"{FIXED}/app-net/ports/x", {"attachment": "x"}),
        (f"{FIXED}/app-net/ports/x", {"attachment": {"id": {"a": 1}}}),
        (f"{FIXED}/app-net/ports/x", []),
        (f"{FIXED}/app-net", {"display_name": "a\u0000b"}),
        (f"{FIXED}/app-net", {"l2_extension": 5}),
        (f"{POLICIES}/p", {"rules": 5}),
        (f"{POLICIES}/p", {"rules": [{"action": "ALLOW"}]}),
        (f"{POLICIES}/default/rules/x", {"source_groups": [None, {"a": 1}]}),
        ("/infra/domains/cgw/groups/x", {"expression": [{"ip_addresses": 5}]}),
        ("/infra/domains/cgw/groups/x", {"expression": [{"resource_type": "X", "ip_addresses": ["x"]}]}),
        ("/infra/domains/cgw/groups/x", {"expression": [{"resource_type": "NoSuchExpression"}]}),
    ],
)
def test_malformed_bodies_are_400_255_and_change_nothing(site_pair: SitePair, path: str, body: Any) -> None:
    mark = site_pair.mark()
    refused(Manager(site_pair, "source").patch(path, body), 400, 255)
    assert site_pair.audit("change", after=mark) == []
