"""What GET returns is accepted by PUT with its ``_revision``, for every type; what is named can be looked up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hcx_sim.nsx.product import PRODUCT
from hcx_sim.world.model import SiteName
from support.nsx_wire import FIXED, FLEXIBLE, POLICY, Manager, refused, world_of
from support.site_pair import SitePair

pytestmark = world_of(destination="onprem")
DOMAIN = "/infra/domains/cgw"
# Members that say when and by whom, and which a write may change.
_BOOKKEEPING = ("_revision", "_last_modified_time", "_last_modified_user")
# A value for every parameter of a path that is not an object's own id.
_FACTS = {"tier1": "cgw", "tier0": "vmc", "domain": "cgw", "policy": "wave-1", "point": "vmc-enforcementpoint"}


def _furnish(nsx: Manager) -> None:
    """Make one object of each kind that calls can make, with as many members as it can have."""
    group = f"{DOMAIN}/groups/app"
    expression = [
        {"resource_type": "IPAddressExpression", "ip_addresses": ["10.1.1.11"]},
        {"resource_type": "ConjunctionOperator", "conjunction_operator": "OR"},
        {
            "resource_type": "Condition",
            "member_type": "VirtualMachine",
            "key": "Tag",
            "operator": "EQUALS",
            "value": "x",
        },
    ]
    bodies = {
        group: {"expression": expression, "description": "the app", "tags": [{"scope": "a", "tag": "b"}]},
        f"{DOMAIN}/groups/empty": {},
        f"{DOMAIN}/gateway-policies/wave-1": {"display_name": "Wave 1", "sequence_number": 3, "comments": "c"},
        f"{DOMAIN}/gateway-policies/wave-1/rules/drop": {
            "action": "DROP", "source_groups": [group], "services": ["/infra/services/SSH"], "sequence_number": 7,
            "description": "d", "notes": "n", "logged": True, "disabled": True, "tags": [{"scope": "", "tag": "t"}],
        },
        f"{FLEXIBLE}/bare": {},
        f"{FLEXIBLE}/off": {"advanced_config": {"connectivity": "OFF"}, "vlan_ids": ["7", "10-20"]},
        f"{FIXED}/full": {
            "description": "d", "domain_name": "example", "admin_state": "DOWN", "replication_mode": "SOURCE",
            "tags": [{"scope": "a", "tag": "b"}], "advanced_config": {"urpf_mode": "NONE", "local_egress": True},
            "subnets": [{"gateway_address": "10.9.9.1/24", "dhcp_ranges": ["10.9.9.10-10.9.9.20"], "dhcp_config": {
                "resource_type": "SegmentDhcpV4Config", "lease_time": 600, "dns_servers": ["10.9.9.2"]}}],
        },
        f"{FIXED}/app-net/ports/own": {"attachment": {"id": "a-1", "type": "CHILD"}, "description": "mine"},
        f"{FLEXIBLE}/flex-net/ports/own": {},
    }  # fmt: skip
    for path, body in bodies.items():
        assert nsx.patch(path, body).status_code == 200, path
    emptied = nsx.read(f"{FIXED}/spare-net")
    assert nsx.patch(f"{FIXED}/spare-net", {**emptied, "subnets": [], "type": None}).status_code == 200


def _templates(method: str) -> list[str]:
    return sorted({fact.path for fact in PRODUCT.coverage.routes if fact.method == method and "?" not in fact.path})


def _paths(nsx: Manager, template: str) -> Iterator[str]:
    """Yield the paths of all objects that a template of paths means."""
    parent, _, _last = template.removeprefix(POLICY).rpartition("/")
    for name, value in _FACTS.items():
        parent = parent.replace(f"{{{name}}}", value)
    if "{segment}" in parent:
        head, _, tail = parent.partition("/{segment}")
        parents = [f"{head}/{each}{tail}" for each in nsx.ids(head)]
    elif "{nat}" in parent:
        parents = [parent.replace("{nat}", each) for each in ("USER", "DEFAULT")]
    else:
        parents = [parent]
    for each in parents:
        yield from (f"{each}/{object_id}" for object_id in nsx.ids(each))


def _same(body: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in body.items() if name not in _BOOKKEEPING}
    return {**kept, "rules": [_same(rule) for rule in body["rules"]]} if "rules" in body else kept


@pytest.mark.parametrize("template", _templates("PUT"))
def test_what_get_returns_is_accepted_by_put(source_nsx: Manager, site_pair: SitePair, template: str) -> None:
    _furnish(source_nsx)
    paths = list(_paths(source_nsx, template))
    assert paths, template
    truth = site_pair.oracle()
    for path in paths:
        body = source_nsx.read(path)
        answer = source_nsx.put(path, body)
        assert answer.status_code == 200, (path, answer.text)
        assert _same(answer.json()) == _same(body), path
        assert _same(source_nsx.read(path)) == _same(body), path
        # The revision decides: a missing one and an old one are refused, for every type.
        current = answer.json()["_revision"]
        for wrong in (None, current + 1):
            refused(source_nsx.put(path, {**body, "_revision": wrong}), 412)
        # What a list and a search show is the same body.
        listed = source_nsx.read(path.rpartition("/")[0])["results"]
        assert _same(next(each for each in listed if each["id"] == body["id"])).items() <= _same(body).items(), path
    assert site_pair.oracle() == truth, "writing back what was read changes no fact"


@world_of(mon_reads="ROUTED", advanced_config_absent=True, disconnected_lacks_subnets=True)
@pytest.mark.parametrize("site", list(SiteName))
def test_switches_of_what_is_shown_do_not_break_the_round_trip(site_pair: SitePair, site: SiteName) -> None:
    nsx = Manager(site_pair, site)
    before = {key: (each.connectivity, each.gateway_cidr) for key, each in site_pair.world.segments.items()}
    for path in (f"{FIXED}/{each}" for each in nsx.ids(FIXED)):
        body = nsx.read(path)
        answer = nsx.put(path, body)
        assert answer.status_code == 200, answer.text
        assert _same(answer.json()) == _same(body)
    after = {key: (each.connectivity, each.gateway_cidr) for key, each in site_pair.world.segments.items()}
    assert after == before


def test_a_segment_without_subnets_is_connected_by_default(source_nsx: Manager) -> None:
    made = source_nsx.put(f"{FIXED}/plain", {}).json()
    assert (made["advanced_config"]["connectivity"], "subnets" in made) == ("ON", False)
    assert source_nsx.put(f"{FIXED}/plain", made).status_code == 200
    source_nsx.patch(f"{FIXED}/spare-net", {"subnets": []})
    assert source_nsx.put(f"{FIXED}/spare-net", source_nsx.read(f"{FIXED}/spare-net")).status_code == 200


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name not in ("services", "l2_extension"):
                yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)
    elif isinstance(value, str) and value.startswith("/infra"):
        yield value


@pytest.mark.parametrize("flavour", ["vmc", "onprem"])
def test_every_path_that_an_answer_names_can_be_read(
    source_nsx: Manager, destination_nsx: Manager, flavour: str
) -> None:
    nsx = source_nsx if flavour == "vmc" else destination_nsx
    if flavour == "vmc":
        _furnish(nsx)
    seen: set[str] = set()
    pending = {path for body in nsx.read("/search", query="*:*")["results"] for path in _named(body)}
    assert len(pending) > 10
    while pending:
        path = pending.pop()
        seen.add(path)
        pending |= set(_named(nsx.read(path))) - seen


def test_every_host_that_an_answer_names_is_a_transport_node(destination_nsx: Manager, site_pair: SitePair) -> None:
    nsx = destination_nsx
    assert site_pair.world.site(SiteName.DESTINATION).nsx_flavour == "onprem"
    nodes = nsx.ids("/api/v1/transport-nodes")
    named = {each["host_id"] for each in nsx.read("/infra/realized-state/virtual-machines")["results"]}
    assert named
    assert named <= set(nodes)
    for node in nodes:
        assert nsx.read(f"/api/v1/transport-nodes/{node}/state")["state"] == "success"


def test_the_members_of_an_edge_cluster_are_transport_nodes(destination_nsx: Manager) -> None:
    (cluster,) = destination_nsx.read("/api/v1/edge-clusters")["results"]
    members = [each["transport_node_id"] for each in cluster["members"]]
    assert len(members) == 2
    for node in members:
        assert (
            destination_nsx.read(f"/api/v1/transport-nodes/{node}")["node_deployment_info"]["resource_type"]
            == "EdgeNode"
        )
    (path,) = {
        each["path"] for each in destination_nsx.read("/search", query="resource_type:PolicyEdgeCluster")["results"]
    }
    assert [each["nsx_id"] for each in destination_nsx.read(f"{path}/edge-nodes")["results"]] == members
    assert destination_nsx.read(f"{path}/edge-nodes/0")["display_name"] == "edge-01"
